/**
 * The media connection of one participant, from the token to the last attempt.
 *
 * The client library resumes by itself for about 50 s. When it gives up, or when
 * the first connection fails, a new Room with a fresh token is tried every 10 s
 * until somebody leaves. Ends that are meant (removed, entered elsewhere) are not
 * fought. One object for one stay; the screens read `state` through `subscribe`.
 */
import { DisconnectReason, Room, RoomEvent } from "livekit-client";
import type { Choices } from "./choices";
import { arrivals, LivenessWatch } from "./liveness";
import { roomOptions } from "./options";
import { requestToken, TokenError } from "./token";

export const RETRY_EVERY_MS = 10_000;
const PROBE_EVERY_MS = 1000;

export type MediaPhase =
  | "idle"
  /** Waiting for the first connection. */
  | "connecting"
  | "connected"
  /** The library is resuming, or nothing arrives any more. */
  | "reconnecting"
  /** The library gave up; a new connection follows every 10 s. */
  | "retrying"
  /** The server says the room is not open yet; asked again every 10 s. */
  | "waiting"
  /** Over, for the reason in `ending`. */
  | "over";

export interface MediaState {
  phase: MediaPhase;
  room: Room;
  /** Which attempt of the current interruption is running, from 1. */
  attempt: number;
  ending: "removed" | "elsewhere" | "refused" | "ended" | null;
  /** The server's own sentence for a refusal or a wait. */
  message: string;
}

export class MediaSession {
  private readonly listeners = new Set<() => void>();
  private state: MediaState;
  private retryTimer: number | null = null;
  private probeTimer: number | null = null;
  private generation = 0;

  constructor(
    private readonly tokenUrl: string,
    private readonly identity: string,
    private choices: Choices,
    /** Called with each newly connected room: publishes what was chosen. */
    private readonly onConnected: (room: Room) => void,
  ) {
    this.state = { phase: "idle", room: new Room(roomOptions(choices)), attempt: 0, ending: null, message: "" };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  read = (): MediaState => this.state;

  /** Connects unless a connection exists or is under way. */
  start(): void {
    if (this.state.phase === "idle" || this.state.phase === "waiting" || this.state.phase === "over") {
      this.update({ phase: "connecting", attempt: 0, ending: null, message: "" });
      void this.connect();
    }
  }

  get isSaving(): boolean {
    return this.choices.isSaving;
  }

  /** Joins anew: how much is sent and received is agreed at the door. */
  changeSaving(isSaving: boolean): void {
    this.choices = { ...this.choices, isSaving };
    if (this.state.phase !== "connected" && this.state.phase !== "reconnecting") {
      this.update({}); // the next attempt to connect asks for it
      return;
    }
    const former = this.state.room;
    this.update({ phase: "connecting", attempt: 0, message: "" });
    void this.connect();
    void former.disconnect();
  }

  /** Leaves for good; safe to call twice. */
  stop(): void {
    this.generation += 1;
    this.clearTimers();
    void this.state.room.disconnect();
    this.update({ phase: "idle" });
  }

  private async connect(): Promise<void> {
    const generation = ++this.generation;
    this.clearTimers();
    const room = new Room(roomOptions(this.choices));
    try {
      const ticket = await requestToken(this.tokenUrl, this.identity, this.choices.isSaving);
      if (generation !== this.generation) return;
      this.watch(room, generation);
      await room.connect(ticket.media_url, ticket.token, { maxRetries: 1 });
    } catch (error) {
      if (generation !== this.generation) return;
      room.removeAllListeners();
      void room.disconnect();
      this.failed(error);
      return;
    }
    if (generation !== this.generation) {
      void room.disconnect();
      return;
    }
    this.update({ phase: "connected", room, attempt: 0, message: "" });
    this.probe(room, generation);
    this.onConnected(room);
  }

  private watch(room: Room, generation: number): void {
    const current = () => generation === this.generation;
    const interrupted = () => {
      if (current()) this.interrupted();
    };
    room.on(RoomEvent.Reconnecting, interrupted);
    room.on(RoomEvent.SignalReconnecting, interrupted);
    room.on(RoomEvent.Reconnected, () => {
      if (current()) this.update({ phase: "connected", attempt: 0 });
    });
    room.on(RoomEvent.Disconnected, (reason) => {
      if (current()) this.disconnected(reason);
    });
  }

  private interrupted(): void {
    this.update({ phase: "reconnecting", attempt: this.state.attempt + 1 });
  }

  private disconnected(reason: DisconnectReason | undefined): void {
    switch (reason) {
      case DisconnectReason.CLIENT_INITIATED:
        return;
      case DisconnectReason.PARTICIPANT_REMOVED:
        return this.over("removed");
      case DisconnectReason.DUPLICATE_IDENTITY:
        return this.over("elsewhere");
      default:
        if (this.state.phase !== "connecting") this.retryLater("retrying");
    }
  }

  private failed(error: unknown): void {
    if (error instanceof TokenError) {
      if (error.isNotYet) return this.retryLater("waiting", error.message);
      if (error.isFinal) {
        this.update({ phase: "over", ending: endingOf(error), message: error.message });
        return;
      }
    }
    this.retryLater("retrying");
  }

  private over(ending: "removed" | "elsewhere"): void {
    this.clearTimers();
    this.update({ phase: "over", ending });
  }

  private retryLater(phase: "retrying" | "waiting", message = ""): void {
    this.clearTimers();
    this.update({ phase, attempt: this.state.attempt + 1, message });
    this.retryTimer = window.setTimeout(() => void this.connect(), RETRY_EVERY_MS);
  }

  /** Watches arrivals so that a dead line is shown within 5 s, long before the library says so. */
  private probe(room: Room, generation: number): void {
    const watch = new LivenessWatch();
    this.probeTimer = window.setInterval(async () => {
      const counter = await readArrivals(room);
      if (generation !== this.generation) return;
      const isLost = watch.isLost(counter, performance.now());
      const { phase } = this.state;
      if (isLost && phase === "connected") this.interrupted();
      if (!isLost && phase === "reconnecting" && room.state === "connected") {
        this.update({ phase: "connected", attempt: 0 });
      }
    }, PROBE_EVERY_MS);
  }

  private clearTimers(): void {
    if (this.retryTimer !== null) window.clearTimeout(this.retryTimer);
    if (this.probeTimer !== null) window.clearInterval(this.probeTimer);
    this.retryTimer = this.probeTimer = null;
  }

  private update(change: Partial<MediaState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** Arrivals on the pair that carries any track of the room; null when there is no track. */
async function readArrivals(room: Room): Promise<number | null> {
  for (const participant of [room.localParticipant, ...room.remoteParticipants.values()]) {
    for (const publication of participant.trackPublications.values()) {
      const report = await publication.track?.getRTCStatsReport();
      const counter = report ? arrivals(report.values()) : null;
      if (counter !== null) return counter;
    }
  }
  return null;
}

function endingOf(error: TokenError): "refused" | "removed" | "ended" {
  if (error.code === "ended") return "ended";
  return error.code === "removed" ? "removed" : "refused";
}
