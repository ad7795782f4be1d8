/**
 * From counters of `RTCPeerConnection.getStats()` at two moments to the figures
 * of a line check. Pure: the moments are given.
 */

/** Sums over the sender's and the receivers' reports at one moment. */
export interface Counters {
  atMs: number;
  sentBytes: number;
  sentPackets: number;
  /** Lost on the way to the node, as it reports (RTCP, RFC 3550 §6.4.1). */
  lostUp: number;
  receivedBytes: number;
  receivedPackets: number;
  lostDown: number;
  /** Newest round trips of the connections in use. */
  rttMs: number[];
  jitterMs: number[];
  isCpuBound: boolean;
}

export interface Rates {
  up_kbps: number;
  down_kbps: number;
  up_loss_permille: number;
  down_loss_permille: number;
  rtt_ms: number;
  jitter_ms: number;
  is_cpu_bound: boolean;
}

type Entry = Record<string, unknown> & { type: string };

const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);

export const NOTHING: Omit<Counters, "atMs"> = {
  sentBytes: 0,
  sentPackets: 0,
  lostUp: 0,
  receivedBytes: 0,
  receivedPackets: 0,
  lostDown: 0,
  rttMs: [],
  jitterMs: [],
  isCpuBound: false,
};

/** Adds one connection's report up. */
export function add(sum: Counters, report: Iterable<Entry>): Counters {
  const next = { ...sum, rttMs: [...sum.rttMs], jitterMs: [...sum.jitterMs] };
  for (const entry of report) {
    switch (entry.type) {
      case "outbound-rtp":
        next.sentBytes += number(entry.bytesSent) + number(entry.headerBytesSent);
        next.sentPackets += number(entry.packetsSent);
        next.isCpuBound ||= entry.qualityLimitationReason === "cpu";
        break;
      case "remote-inbound-rtp":
        next.lostUp += number(entry.packetsLost);
        if (typeof entry.jitter === "number") next.jitterMs.push(entry.jitter * 1000);
        break;
      case "inbound-rtp":
        next.receivedBytes += number(entry.bytesReceived) + number(entry.headerBytesReceived);
        next.receivedPackets += number(entry.packetsReceived);
        next.lostDown += number(entry.packetsLost);
        if (typeof entry.jitter === "number") next.jitterMs.push(entry.jitter * 1000);
        break;
      case "candidate-pair":
        if (entry.nominated === true && typeof entry.currentRoundTripTime === "number") {
          next.rttMs.push(entry.currentRoundTripTime * 1000);
        }
        break;
    }
  }
  return next;
}

/** Share of the lost among all, 0…1000; counters may run back when packets come late. */
function permille(lost: number, arrived: number): number {
  const missing = Math.max(0, lost);
  const all = missing + Math.max(0, arrived);
  return all === 0 ? 0 : Math.round((1000 * missing) / all);
}

function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Figures between two moments; null when nothing came back. `samples` hold round trips between. */
export function between(before: Counters, after: Counters, samples: readonly Counters[]): Rates | null {
  const seconds = (after.atMs - before.atMs) / 1000;
  const received = after.receivedBytes - before.receivedBytes;
  const sent = after.sentBytes - before.sentBytes;
  if (seconds <= 0 || received <= 0 || sent <= 0) return null;
  const sentPackets = after.sentPackets - before.sentPackets;
  const lostUp = Math.min(sentPackets, Math.max(0, after.lostUp - before.lostUp));
  const upLoss = permille(lostUp, sentPackets - lostUp);
  const kbps = (bytes: number) => Math.round((bytes * 8) / seconds / 1000);
  return {
    up_kbps: Math.round((kbps(sent) * (1000 - upLoss)) / 1000),
    down_kbps: kbps(received),
    up_loss_permille: upLoss,
    down_loss_permille: permille(
      after.lostDown - before.lostDown,
      after.receivedPackets - before.receivedPackets,
    ),
    rtt_ms: Math.min(60_000, Math.round(median([...samples, after].flatMap((one) => one.rttMs)))),
    jitter_ms: Math.min(60_000, Math.round(median([...samples, after].flatMap((one) => one.jitterMs)))),
    is_cpu_bound: after.isCpuBound,
  };
}
