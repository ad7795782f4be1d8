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
    return this.status === 409;
  }

  /** No right to be here; asking again changes nothing. */
  get isFinal(): boolean {
    return [401, 403, 404, 410].includes(this.status);
  }
}

export async function requestToken(url: string): Promise<Ticket> {
  const csrf = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  const response = await fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": csrf, Accept: "application/json" },
    credentials: "same-origin",
  });
  const body = (await response.json().catch(() => null)) as
    | (Partial<Ticket> & { error?: { code?: string; message?: string } })
    | null;
  if (!response.ok || !body?.token || !body.media_url) {
    throw new TokenError(response.status, body?.error?.code ?? "unknown", body?.error?.message ?? "");
  }
  return body as Ticket;
}
