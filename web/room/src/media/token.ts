/** Asks the web server for the ticket into the media room. */

export interface Ticket {
  media_url: string;
  token: string;
  identity: string;
  name: string;
  expires_at: string;
}

export class TokenError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "TokenError";
  }

  /** The room is not open yet: worth asking again. */
  get isNotYet(): boolean {
    return this.status === 409 && !this.isOver;
  }

  /** The meeting is no more. */
  get isOver(): boolean {
    return ["ended", "cancelled", "postponed"].includes(this.code);
  }

  /** No right to be here; asking again changes nothing. */
  get isFinal(): boolean {
    return this.isOver || [401, 403, 404, 410].includes(this.status);
  }
}

/** `identity` picks one where a browser holds several (a login and a site's link). */
export async function requestToken(url: string, identity: string, isSaving: boolean): Promise<Ticket> {
  const csrf = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  const response = await fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": csrf, "Content-Type": "application/json", Accept: "application/json" },
    credentials: "same-origin",
    body: JSON.stringify({ identity, is_saving: isSaving }),
  });
  const body = (await response.json().catch(() => null)) as
    (Partial<Ticket> & { error?: { code?: string; message?: string } }) | null;
  if (!response.ok || !body?.token || !body.media_url) {
    throw new TokenError(response.status, body?.error?.code ?? "unknown", body?.error?.message ?? "");
  }
  return body as Ticket;
}
