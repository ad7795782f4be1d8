/**
 * The boot document: what the server tells the room app in the page itself
 * (docs/conduct-protocol.md, “Joining over HTTP”). Everything here is known
 * before the first socket opens, so that a cancelled meeting needs none.
 */

export type Role = "chair" | "person" | "site";

/** A client event of the conduct protocol that somebody may be allowed to send. */
export type Act =
  | "floor.request"
  | "floor.withdraw"
  | "floor.give"
  | "floor.end"
  | "floor.move"
  | "floor.dismiss"
  | "floor.extend"
  | "floor.warn"
  | "spotlight.set"
  | "vote.open"
  | "vote.cast"
  | "vote.hands"
  | "vote.close"
  | "vote.result"
  | "vote.publish"
  | "microphones.mute"
  | "microphones.mute_all"
  | "participant.remove"
  | "agenda.select"
  | "chat.send"
  | "recording.start"
  | "recording.stop"
  | "meeting.open"
  | "meeting.end"
  | "delegates.report"
  | "state.get";

export interface AgendaItem {
  id: number;
  title: string;
  presenter: string | null;
  minutes: number | null;
}

export interface MeetingFacts {
  id: number;
  title: string;
  scope: string;
  status: string;
  starts_at: string;
  ends_at: string;
  opens_at: string | null;
  chair: string | null;
  agenda: AgendaItem[];
}

export interface Me {
  identity: string;
  name: string;
  role: Role;
  unit: string | null;
  may: string[];
}

export interface Problem {
  code: string;
  message: string;
  next_meeting: { title: string; starts_at: string; url: string | null } | null;
}

export interface Boot {
  meeting: MeetingFacts | null;
  me: Me | null;
  token_url: string | null;
  hotline: string | null;
  language: "vi" | "en";
  problem: Problem | null;
  leave_url: string;
}

/** A boot document with nothing wrong: somebody who may enter a known meeting. */
export interface Admission extends Boot {
  meeting: MeetingFacts;
  me: Me;
  token_url: string;
}

/** Reads the document from its script element; throws when the page carries none. */
export function readBoot(page: Document): Boot {
  const element = page.getElementById("boot");
  if (!element?.textContent) throw new Error("The page has no boot document");
  const read = JSON.parse(element.textContent) as Partial<Boot>;
  return {
    meeting: read.meeting ? { ...read.meeting, agenda: read.meeting.agenda ?? [] } : null,
    me: read.me ? { ...read.me, may: read.me.may ?? [] } : null,
    token_url: read.token_url ?? null,
    hotline: read.hotline || null,
    language: read.language === "en" ? "en" : "vi",
    problem: read.problem ?? null,
    leave_url: read.leave_url || "/",
  };
}

/** True when the page may show the device check. */
export function isAdmission(boot: Boot): boot is Admission {
  return !boot.problem && boot.meeting !== null && boot.me !== null && boot.token_url !== null;
}

/** The chair, the co-chair and the secretary share one console. */
export function conducts(me: Me): boolean {
  return me.may.includes("floor.give");
}
