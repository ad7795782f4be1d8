/**
 * The conduct channel: one Socket.IO connection to `/conduct` and the store the
 * screens read. Commands resolve with the server's answer and never throw; what
 * changed comes back as events, so nothing is shown before the server says so.
 */
import { io, type Socket } from "socket.io-client";
import type { Act, Admission } from "../boot";
import { initialConduct, isOver, received, withOwnBallot, type Conduct } from "./conduct";
import { SERVER_EVENTS, type Ack, type OwnBallot, type Refusal, type ServerEvent, type Snapshot } from "./protocol";

/** How long a command may stay unanswered before the button says so. */
const ANSWER_LIMIT_MS = 8000;

/** When every place on the channel is taken, so long until the next try. */
const FULL_AGAIN_MS = 10_000;

/** Codes given by this side; the server's own are listed in the protocol. */
export type OwnCode = "no_answer" | "not_connected";

export class ConductChannel {
  private readonly socket: Socket;
  private readonly listeners = new Set<() => void>();
  private conduct: Conduct;

  constructor(boot: Admission, address = "/conduct") {
    this.conduct = initialConduct(boot);
    this.socket = io(address, {
      path: "/socket.io",
      transports: ["websocket"],
      auth: { meeting: boot.meeting.id, identity: boot.me.identity },
      autoConnect: false,
      reconnectionDelay: 500,
      reconnectionDelayMax: 4000,
      timeout: 8000,
    });
    for (const name of SERVER_EVENTS) {
      this.socket.on(name, (data: unknown) => this.receive({ name, data } as ServerEvent));
    }
    this.socket.on("connect", () => this.update({ link: "connected", refusal: null }));
    this.socket.on("disconnect", (reason) => this.disconnected(reason));
    this.socket.on("connect_error", (error) => this.refused(error));
  }

  open(): void {
    window.addEventListener("offline", this.wentOffline);
    this.socket.connect();
  }

  close(): void {
    window.removeEventListener("offline", this.wentOffline);
    this.socket.disconnect();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  read = (): Conduct => this.conduct;

  /** Sends a command and waits for its answer; a lost channel answers at once. */
  async command<T = object>(act: Act, payload: object = {}): Promise<Ack<T>> {
    if (!this.socket.connected) return failure("not_connected");
    try {
      const answer = (await this.socket.timeout(ANSWER_LIMIT_MS).emitWithAck(act, payload)) as Ack<T> | undefined;
      return answer ?? failure("no_answer");
    } catch {
      return failure("no_answer");
    }
  }

  /** Asks for everything anew; the answer may carry the snapshot or an event may follow. */
  async refresh(): Promise<void> {
    const answer = await this.command<{ state?: Snapshot }>("state.get");
    if (answer.ok && answer.state) this.receive({ name: "state", data: answer.state });
  }

  /** The microphone is open, or the call was declined: the prompt goes away. */
  answerCall(): void {
    this.update({ call: null });
  }

  /** The server has counted the own ballot. */
  counted(voteId: number, ballot: OwnBallot): void {
    this.replace(withOwnBallot(this.conduct, voteId, ballot));
  }

  private receive(event: ServerEvent): void {
    this.replace(received(this.conduct, event, Date.now()));
    if (event.name === "removed" || event.name === "elsewhere") this.socket.disconnect();
  }

  private disconnected(reason: Socket.DisconnectReason): void {
    if (reason === "io client disconnect") return;
    this.update({ link: "lost" });
    // After a server's own disconnect the client stays away; only a named departure is final.
    if (reason === "io server disconnect" && !this.conduct.departure) {
      window.setTimeout(() => this.socket.connect(), 2000);
    }
  }

  private refused(error: Error & { data?: Refusal & { problem?: string } }): void {
    const refusal = error.data;
    if (!refusal?.code) {
      this.update({ link: this.conduct.hasSnapshot ? "lost" : "connecting" });
      return;
    }
    // Socket.IO does not try again after a refusal; only a full house is worth it.
    if (refusal.code === "full") {
      this.update({ link: "lost", refusal });
      window.setTimeout(() => this.socket.connect(), FULL_AGAIN_MS);
      return;
    }
    const { problem = "" } = refusal;
    const departure = isOver(problem) ? "ended" : problem === "removed" ? "removed" : this.conduct.departure;
    this.update({ link: "refused", refusal, departure });
  }

  private readonly wentOffline = (): void => {
    if (this.conduct.link === "connected") {
      this.update({ link: "lost" });
      // A socket over a vanished network would look alive for half a minute.
      this.socket.io.engine?.close();
    }
  };

  private update(change: Partial<Conduct>): void {
    this.replace({ ...this.conduct, ...change });
  }

  private replace(conduct: Conduct): void {
    if (conduct === this.conduct) return;
    this.conduct = conduct;
    for (const listener of this.listeners) listener();
  }
}

function failure(code: OwnCode): { ok: false; error: { code: string; message: string } } {
  return { ok: false, error: { code, message: "" } };
}
