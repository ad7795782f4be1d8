/** What the web server says and takes: the boot document, turns, results. */
import type { Rates } from "./figures";
import type { Route } from "./routes";

export interface CheckBoot {
  meeting: { id: number; title: string; starts_at: string; ends_at: string };
  site: { id: number; name: string; unit: string };
  turn_url: string;
  result_url: string;
  leave_url: string;
  hotline: string;
  language: "vi" | "en";
  /** Why the site cannot check now. */
  problem: string | null;
}

export interface Go {
  state: "go";
  media_url: string;
  probe: string;
  send: string;
  receive: string[];
}

export interface Wait {
  state: "waiting";
  /** How many are first. */
  ahead: number;
  at_once: number;
  is_live: boolean;
  retry_ms: number;
}

export type DeviceState = "ok" | "silent" | "refused" | "system" | "missing" | "busy" | "insecure" | "unknown";
export type SpeakerState = "heard" | "not_heard" | "skipped";
export type WayState = "open" | "blocked" | "absent" | "untried";

export interface Report {
  camera: DeviceState;
  microphone: DeviceState;
  speaker: SpeakerState;
  is_node_reached: boolean;
  udp: WayState;
  tcp: WayState;
  turn: WayState;
  via: Route | null;
  rates: Rates | null;
}

export interface Verdict {
  grade: "red" | "amber" | "green";
  heading: string;
  findings: { grade: "red" | "amber"; what: string; todo: string }[];
  checked_at: string;
}

export class ServerError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ServerError";
  }
}

export function readCheckBoot(page: Document): CheckBoot {
  const element = page.getElementById("boot");
  if (!element?.textContent) throw new Error("The page has no boot document");
  return JSON.parse(element.textContent) as CheckBoot;
}

async function post<Answer>(url: string, body: unknown): Promise<Answer> {
  const csrf = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  const response = await fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": csrf, "Content-Type": "application/json", Accept: "application/json" },
    credentials: "same-origin",
    body: JSON.stringify(body),
  });
  const answer = (await response.json().catch(() => null)) as { error?: { code?: string; message?: string } } | null;
  if (!response.ok || answer === null) {
    throw new ServerError(answer?.error?.code ?? "unknown", answer?.error?.message ?? "");
  }
  return answer as Answer;
}

export function askTurn(boot: CheckBoot): Promise<Go | Wait> {
  return post(boot.turn_url, { site: boot.site.id });
}

export function sendReport(boot: CheckBoot, report: Report): Promise<Verdict> {
  return post(boot.result_url, { site: boot.site.id, report });
}
