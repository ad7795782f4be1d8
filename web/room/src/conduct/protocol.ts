/** The documents and events of docs/conduct-protocol.md, in its own words. Times are ISO 8601 UTC. */
import type { Me, Role } from "../boot";

export interface RosterEntry {
  identity: string;
  name: string;
  unit: string | null;
  role: Role;
  is_present: boolean;
  since: string | null;
  delegates_count: number | null;
}

export interface Roster {
  version: number;
  sites: RosterEntry[];
  present_count: number;
  invited_count: number;
}

export interface QueueEntry {
  identity: string;
  name: string;
  requested_at: string;
  times_spoken: number;
}

export interface Floor {
  version: number;
  preset: "conference" | "discussion";
  speaker: { identity: string; name: string; since: string; limit_s: number } | null;
  /** Shown large to everybody by the chair. */
  spotlight: string | null;
  queue: QueueEntry[];
}

export type Choice = "for" | "against" | "abstain";

export type Totals = Record<Choice, number>;

/** The newest question put to the meeting. */
export interface Vote {
  id: number;
  question: string;
  is_secret: boolean;
  opened_at: string;
  closed_at: string | null;
  published_at: string | null;
  cast_count: number;
  eligible_count: number;
  /** Null until published. */
  totals: Totals | null;
}

/** How this participant voted, as the server has it; of a secret ballot only that it was cast. */
export type OwnBallot = Choice | "secret";

export interface Agenda {
  item_id: number | null;
  since: string | null;
}

export interface ChatMessage {
  id: number | string;
  at: string;
  identity: string;
  name: string;
  text: string;
}

export type RecordingState = "off" | "starting" | "recording" | "interrupted" | "stopping" | "failed";

export interface Recording {
  state: RecordingState;
  since: string | null;
  message: string | null;
  decided_by: string | null;
}

export interface MeetingState {
  status: string;
  opened_at: string | null;
  ended_at: string | null;
}

/** Everything at once; sent on connecting and as the answer to `state.get`. */
export interface Snapshot {
  version: number;
  server_time: string;
  meeting: MeetingState;
  me: Me;
  roster: Roster;
  floor: Floor;
  agenda: Agenda;
  vote: Vote | null;
  own_ballot: OwnBallot | null;
  chat: ChatMessage[];
  recording: Recording;
}

export interface Refusal {
  code: string;
  message: string;
}

export type Ack<T = object> = ({ ok: true } & T) | { ok: false; error: Refusal };

/** Who heard what from the server, as one type that the store can fold. */
export type ServerEvent =
  | { name: "state"; data: Snapshot }
  | { name: "roster"; data: Roster }
  | { name: "floor"; data: Floor }
  | { name: "agenda"; data: Agenda }
  | { name: "vote"; data: { vote: Vote | null } }
  | { name: "floor.warned"; data: { by: string } }
  | { name: "chat"; data: ChatMessage }
  | { name: "recording"; data: Recording }
  | { name: "meeting"; data: MeetingState }
  | { name: "microphone.request"; data: { by: string } }
  | { name: "microphone.muted"; data: { by: string } }
  | { name: "removed"; data: { by: string } }
  | { name: "elsewhere"; data: object };

export const SERVER_EVENTS = [
  "state",
  "roster",
  "floor",
  "agenda",
  "vote",
  "floor.warned",
  "chat",
  "recording",
  "meeting",
  "microphone.request",
  "microphone.muted",
  "removed",
  "elsewhere",
] as const satisfies readonly ServerEvent["name"][];
