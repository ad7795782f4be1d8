/**
 * The line itself: can the node be reached, by which ways, and how much gets
 * through. A site sends a test picture into a private room and receives two
 * copies of it, so that what comes down may be twice what goes up.
 */
import { Room, RoomEvent, Track } from "livekit-client";
import { add, between, NOTHING, type Counters, type Rates } from "./figures";
import { noise } from "./noise";
import { hold, ROUTES, type Route, type Trace } from "./routes";
import type { Go, WayState } from "./server";

/** A way that is open opens within one round of ICE checks; so long is waited for one that is not. */
const WAY_PATIENCE_MS = 7000;
const SIGNAL_PATIENCE_MS = 7000;
/** What the test sends at most; the receivers get it twice. */
export const SEND_KBPS = 1500;
/** The sender finds out how much the line takes before figures count. */
export const WARM_UP_MS = 4000;
export const MEASURE_MS = 5000;
const SAMPLE_MS = 500;

export interface Ways {
  isNodeReached: boolean;
  udp: WayState;
  tcp: WayState;
  turn: WayState;
}

export const UNTRIED: Ways = { isNodeReached: false, udp: "untried", tcp: "untried", turn: "untried" };

const OPTIONS = { adaptiveStream: false, dynacast: false, stopLocalTrackOnUnpublish: true };

interface Connected {
  room: Room;
  trace: Trace;
}

class WayClosed extends Error {
  constructor(
    readonly isNodeReached: boolean,
    readonly trace: Trace,
  ) {
    super("This way is closed");
  }
}

async function connect(mediaUrl: string, token: string, route: Route): Promise<Connected> {
  const room = new Room(OPTIONS);
  const { trace, release } = hold(route);
  let isNodeReached = false;
  room.on(RoomEvent.SignalConnected, () => {
    isNodeReached = true;
  });
  try {
    await room.connect(mediaUrl, token, {
      maxRetries: 0,
      websocketTimeout: SIGNAL_PATIENCE_MS,
      peerConnectionTimeout: WAY_PATIENCE_MS,
    });
    return { room, trace };
  } catch {
    await room.disconnect().catch(() => undefined);
    throw new WayClosed(isNodeReached, trace);
  } finally {
    release();
  }
}

/** Tries one way after the other; `tell` is called before and after each. */
export async function tryWays(
  go: Go,
  tell: (ways: Ways, trying: Route | null) => void,
  isCancelled: () => boolean,
): Promise<Ways> {
  let ways = UNTRIED;
  let namesTurn = false;
  for (const route of ROUTES) {
    if (isCancelled()) return ways;
    if (route === "turn" && !namesTurn) {
      ways = { ...ways, turn: ways.isNodeReached ? "absent" : "untried" };
      break;
    }
    tell(ways, route);
    try {
      const { room, trace } = await connect(go.media_url, go.probe, route);
      namesTurn ||= trace.namesTurn;
      ways = { ...ways, isNodeReached: true, [route]: "open" };
      await room.disconnect();
    } catch (error) {
      if (!(error instanceof WayClosed)) throw error;
      namesTurn ||= error.trace.namesTurn;
      if (!error.isNodeReached) break; // no way leads to a node that does not answer
      const isAbsent = route !== "turn" && error.trace.offered === 0;
      ways = { ...ways, isNodeReached: true, [route]: isAbsent ? "absent" : "blocked" };
    }
  }
  tell(ways, null);
  return ways;
}

/** The way that meetings would take: the first that is open. */
export function best(ways: Ways): Route | null {
  return ROUTES.find((route) => ways[route] === "open") ?? null;
}

const pause = (ms: number) => new Promise<void>((done) => window.setTimeout(done, ms));

async function read(traces: readonly Trace[]): Promise<Counters> {
  let sum: Counters = { ...NOTHING, atMs: performance.now() };
  for (const connection of traces.flatMap((trace) => trace.connections)) {
    if (connection.connectionState === "closed") continue;
    const report = await connection.getStats();
    sum = add(sum, report.values() as Iterable<Parameters<typeof add>[1] extends Iterable<infer One> ? One : never>);
  }
  return sum;
}

/** Sends and receives by `route` for some seconds; null when nothing came back. */
export async function measureLine(
  go: Go,
  route: Route,
  tell: (share: number, soFar: Rates | null) => void,
): Promise<Rates | null> {
  const open: Connected[] = [];
  const picture = noise();
  try {
    for (const token of [...go.receive, go.send]) open.push(await connect(go.media_url, token, route));
    const sender = open[open.length - 1]?.room;
    await sender?.localParticipant.publishTrack(picture.track, {
      source: Track.Source.Camera,
      simulcast: false,
      videoCodec: "vp8",
      backupCodec: false,
      videoEncoding: { maxBitrate: SEND_KBPS * 1000, maxFramerate: 20 },
      degradationPreference: "maintain-resolution",
    });
    return await sampled(
      open.map((one) => one.trace),
      tell,
    );
  } catch (error) {
    if (error instanceof WayClosed) return null;
    throw error;
  } finally {
    picture.stop();
    await Promise.all(open.map((one) => one.room.disconnect().catch(() => undefined)));
  }
}

async function sampled(
  traces: readonly Trace[],
  tell: (share: number, soFar: Rates | null) => void,
): Promise<Rates | null> {
  const beganAtMs = performance.now();
  const whole = WARM_UP_MS + MEASURE_MS;
  let first: Counters | null = null;
  let previous = await read(traces);
  const samples: Counters[] = [];
  for (;;) {
    await pause(SAMPLE_MS);
    const latest = await read(traces);
    const passedMs = latest.atMs - beganAtMs;
    tell(Math.min(1, passedMs / whole), between(previous, latest, []));
    previous = latest;
    if (first === null) {
      if (passedMs >= WARM_UP_MS) first = latest;
      continue;
    }
    samples.push(latest);
    if (passedMs >= whole) return between(first, latest, samples);
  }
}
