/**
 * What this participant knows of the meeting's conduct, folded from the server's
 * events. Pure: the channel hands in events, the screens read the result. Older
 * versions of a document never replace newer ones (a late answer to `state.get`
 * may cross a fresh `floor`).
 */
import type { Admission, Me } from "../boot";
import type {
  Agenda,
  ChatMessage,
  Floor,
  MeetingState,
  OwnBallot,
  Recording,
  Refusal,
  Roster,
  ServerEvent,
  Snapshot,
  Vote,
} from "./protocol";

/** How the conduct channel stands; media goes on without it. */
export type Link = "connecting" | "connected" | "lost" | "refused";

/** Why this participant is no longer in the meeting. */
export type Departure = "removed" | "elsewhere" | "ended";

export interface Conduct {
  link: Link;
  refusal: Refusal | null;
  hasSnapshot: boolean;
  meeting: MeetingState;
  me: Me;
  roster: Roster;
  floor: Floor;
  agenda: Agenda;
  vote: Vote | null;
  /** This participant's ballot on `vote`; null before it is cast. */
  ownBallot: OwnBallot | null;
  chat: ChatMessage[];
  recording: Recording;
  /** Server clock minus own clock, in milliseconds; timers count on the server's. */
  clockOffsetMs: number;
  /** Set while the chair waits for this participant to open the microphone. */
  call: { by: string } | null;
  /** Counts how often the chair muted this microphone; each is announced once. */
  muteCount: number;
  /** Counts the chair's reminders of the time; each is announced once. */
  warnCount: number;
  departure: Departure | null;
}

export const CHAT_KEPT = 500;

export function initialConduct(boot: Admission): Conduct {
  return {
    link: "connecting",
    refusal: null,
    hasSnapshot: false,
    meeting: { status: boot.meeting.status, opened_at: null, ended_at: null },
    me: boot.me,
    roster: { version: -1, sites: [], present_count: 0, invited_count: 0 },
    floor: { version: -1, preset: "conference", speaker: null, spotlight: null, queue: [] },
    agenda: { item_id: null, since: null },
    vote: null,
    ownBallot: null,
    chat: [],
    recording: { state: "off", since: null, message: null, decided_by: null },
    clockOffsetMs: 0,
    call: null,
    muteCount: 0,
    warnCount: 0,
    departure: null,
  };
}

/** The conduct after `event` arrived at `nowMs` of this machine's clock. */
export function received(conduct: Conduct, event: ServerEvent, nowMs: number): Conduct {
  switch (event.name) {
    case "state":
      return withSnapshot(conduct, event.data, nowMs);
    case "roster":
      return event.data.version < conduct.roster.version ? conduct : { ...conduct, roster: event.data };
    case "floor":
      return event.data.version < conduct.floor.version ? conduct : withFloor(conduct, event.data);
    case "agenda":
      return { ...conduct, agenda: event.data };
    case "vote":
      return withVote(conduct, event.data.vote);
    case "floor.warned":
      return { ...conduct, warnCount: conduct.warnCount + 1 };
    case "chat":
      return { ...conduct, chat: withMessage(conduct.chat, event.data) };
    case "recording":
      return { ...conduct, recording: event.data };
    case "meeting":
      return withMeeting(conduct, event.data);
    case "microphone.request":
      return { ...conduct, call: { by: event.data.by } };
    case "microphone.muted":
      return { ...conduct, call: null, muteCount: conduct.muteCount + 1 };
    case "removed":
      return { ...conduct, departure: "removed" };
    case "elsewhere":
      return { ...conduct, departure: "elsewhere" };
  }
}

function withSnapshot(conduct: Conduct, snapshot: Snapshot, nowMs: number): Conduct {
  const serverMs = Date.parse(snapshot.server_time);
  const known: Conduct = {
    ...conduct,
    hasSnapshot: true,
    me: { ...conduct.me, ...snapshot.me },
    roster: snapshot.roster ?? conduct.roster,
    agenda: snapshot.agenda ?? conduct.agenda,
    vote: snapshot.vote,
    ownBallot: snapshot.own_ballot,
    chat: (snapshot.chat ?? []).reduce(withMessage, conduct.chat),
    recording: snapshot.recording ?? conduct.recording,
    clockOffsetMs: Number.isNaN(serverMs) ? conduct.clockOffsetMs : serverMs - nowMs,
  };
  return withMeeting(withFloor(known, snapshot.floor ?? known.floor), snapshot.meeting);
}

function withFloor(conduct: Conduct, floor: Floor): Conduct {
  const isMine = floor.speaker?.identity === conduct.me.identity;
  return { ...conduct, floor, call: isMine ? conduct.call : null };
}

function withVote(conduct: Conduct, vote: Vote | null): Conduct {
  if (isOlderVote(vote, conduct.vote)) return conduct;
  const isSame = vote !== null && vote.id === conduct.vote?.id;
  return { ...conduct, vote, ownBallot: isSame ? conduct.ownBallot : null };
}

/** A vote only moves on: opened, counted, closed, published, followed by another. */
function isOlderVote(vote: Vote | null, known: Vote | null): boolean {
  if (known === null) return false;
  if (vote === null || vote.id < known.id) return true;
  const stage = (one: Vote) => (one.published_at ? 2 : one.closed_at ? 1 : 0);
  return vote.id === known.id && (stage(vote) < stage(known) || vote.cast_count < known.cast_count);
}

/** The server has counted this participant's ballot. */
export function withOwnBallot(conduct: Conduct, voteId: number, ballot: OwnBallot): Conduct {
  return conduct.vote?.id === voteId ? { ...conduct, ownBallot: ballot } : conduct;
}

function withMeeting(conduct: Conduct, meeting: MeetingState): Conduct {
  const departure = isOver(meeting.status) ? (conduct.departure ?? "ended") : conduct.departure;
  return { ...conduct, meeting, departure };
}

function withMessage(chat: ChatMessage[], message: ChatMessage): ChatMessage[] {
  if (chat.some((known) => known.id === message.id)) return chat;
  return [...chat, message].slice(-CHAT_KEPT);
}

/** The statuses after which nobody comes back into the room. */
export function isOver(status: string): boolean {
  return ["ended", "cancelled", "postponed"].includes(status);
}

export function isOpen(conduct: Conduct): boolean {
  return conduct.meeting.status === "live";
}

/** This participant's place in the queue, counted from 1, or null when not in it. */
export function ownPlace(conduct: Conduct): number | null {
  const index = conduct.floor.queue.findIndex((entry) => entry.identity === conduct.me.identity);
  return index < 0 ? null : index + 1;
}

export function hasFloor(conduct: Conduct): boolean {
  return conduct.floor.speaker?.identity === conduct.me.identity;
}
