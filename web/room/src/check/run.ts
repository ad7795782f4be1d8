/**
 * One run of the line check from turn to verdict, as states that the page shows.
 * Every step is announced before it begins; a run can be stopped at any time.
 */
import type { Rates } from "./figures";
import { best, measureLine, tryWays, UNTRIED, type Ways } from "./line";
import type { Route } from "./routes";
import {
  askTurn,
  sendReport,
  ServerError,
  type CheckBoot,
  type Go,
  type Report,
  type Verdict,
  type Wait,
  type WayState,
} from "./server";

/** `queue` is the wait for a turn; `turn` is the way by a TURN server. */
export type StepName = "queue" | Route | "rates" | "send";
export const STEPS: readonly StepName[] = ["queue", "udp", "tcp", "turn", "rates", "send"];
export type StepState = "waiting" | "running" | "done" | "failed" | "blocked" | "absent" | "skipped";

export interface Run {
  phase: "idle" | "running" | "done" | "broken";
  steps: Record<StepName, StepState>;
  /** Who is first, while this site waits for its turn. */
  wait: Wait | null;
  /** How much of the measurement is over, 0…1. */
  share: number;
  soFar: Rates | null;
  rates: Rates | null;
  via: Route | null;
  verdict: Verdict | null;
  /** The server's sentence when the run broke or the result was not taken; may be empty. */
  problem: string;
  /** A report that was measured and is not with the server. */
  unsent: Report | null;
}

export const IDLE: Run = {
  phase: "idle",
  steps: { queue: "waiting", udp: "waiting", tcp: "waiting", turn: "waiting", rates: "waiting", send: "waiting" },
  wait: null,
  share: 0,
  soFar: null,
  rates: null,
  via: null,
  verdict: null,
  problem: "",
  unsent: null,
};

/** What the page knows of the devices when the line has been measured. */
export type Devices = Pick<Report, "camera" | "microphone" | "speaker">;

const STATE_OF: Record<WayState, StepState> = {
  open: "done",
  blocked: "blocked",
  absent: "absent",
  untried: "waiting",
};

/** The steps of the ways, while `trying` is tried. */
export function waySteps(ways: Ways, trying: Route | null): Record<Route, StepState> {
  const of = (route: Route): StepState => {
    if (route === trying) return "running";
    const isOver = trying === null && ways[route] === "untried";
    return isOver ? "skipped" : STATE_OF[ways[route]];
  };
  return { udp: of("udp"), tcp: of("tcp"), turn: of("turn") };
}

export function reportOf(devices: Devices, ways: Ways, via: Route | null, rates: Rates | null): Report {
  return {
    ...devices,
    is_node_reached: ways.isNodeReached,
    udp: ways.udp,
    tcp: ways.tcp,
    turn: ways.turn,
    via,
    rates: via ? rates : null,
  };
}

export class Checker {
  private run: Run = IDLE;
  private generation = 0;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly boot: CheckBoot,
    private readonly devices: () => Devices,
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  read = (): Run => this.run;

  /** Begins anew; a run under way is given up. */
  start(): void {
    const mine = ++this.generation;
    this.run = { ...IDLE, phase: "running" };
    this.step("queue", "running");
    void this.go(mine).catch((error: unknown) => {
      if (mine !== this.generation) return;
      this.update({ phase: "broken", problem: error instanceof ServerError ? error.message : "" });
    });
  }

  stop(): void {
    this.generation += 1;
    this.update(IDLE);
  }

  /** Sends again what was measured. */
  sendAgain(): void {
    const { unsent } = this.run;
    if (!unsent) return;
    const mine = ++this.generation;
    this.update({ phase: "running", problem: "" });
    void this.send(unsent, mine);
  }

  private async go(mine: number): Promise<void> {
    const go = await this.turn(mine);
    if (!go) return;
    this.step("queue", "done");
    const isCancelled = () => mine !== this.generation;
    let ways = UNTRIED;
    ways = await tryWays(
      go,
      (known, trying) => {
        if (!isCancelled()) this.update({ steps: { ...this.run.steps, ...waySteps(known, trying) } });
      },
      isCancelled,
    );
    if (isCancelled()) return;
    const via = best(ways);
    let rates: Rates | null = null;
    if (via) {
      this.step("rates", "running");
      rates = await measureLine(go, via, (share, soFar) => {
        if (!isCancelled()) this.update({ share, soFar: soFar ?? this.run.soFar });
      });
      if (isCancelled()) return;
    }
    this.update({ rates, via, steps: { ...this.run.steps, rates: via ? (rates ? "done" : "failed") : "skipped" } });
    await this.send(reportOf(this.devices(), ways, via, rates), mine);
  }

  /** Waits until it is this site's turn; null when the run was given up meanwhile. */
  private async turn(mine: number): Promise<Go | null> {
    for (;;) {
      const answer = await askTurn(this.boot);
      if (mine !== this.generation) return null;
      if (answer.state === "go") {
        this.update({ wait: null });
        return answer;
      }
      this.update({ wait: answer });
      await new Promise<void>((done) => window.setTimeout(done, answer.retry_ms));
      if (mine !== this.generation) return null;
    }
  }

  private async send(report: Report, mine: number): Promise<void> {
    this.step("send", "running");
    try {
      const verdict = await this.sent(report, mine);
      if (mine !== this.generation || !verdict) return;
      this.update({ phase: "done", verdict, unsent: null, steps: { ...this.run.steps, send: "done" } });
    } catch (error) {
      if (mine !== this.generation) return;
      const problem = error instanceof ServerError ? error.message : "";
      this.update({ phase: "done", unsent: report, problem, steps: { ...this.run.steps, send: "failed" } });
    }
  }

  /** A turn that was lost (the server began anew, or the page slept) is asked for once more. */
  private async sent(report: Report, mine: number): Promise<Verdict | null> {
    try {
      return await sendReport(this.boot, report);
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== "turn_lost") throw error;
      return (await this.turn(mine)) && (await sendReport(this.boot, report));
    }
  }

  private step(name: StepName, state: StepState): void {
    this.update({ steps: { ...this.run.steps, [name]: state } });
  }

  private update(change: Partial<Run>): void {
    this.run = { ...this.run, ...change };
    for (const listener of this.listeners) listener();
  }
}

