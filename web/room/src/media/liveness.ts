/**
 * Whether media still arrives. The client library notices a dead network only
 * after about 15 s; the selected candidate pair tells within a few: browsers
 * repeat STUN checks on it (RFC 7675 §5.1), and every answer, like every media
 * packet, moves its counters.
 */

/** Longer than two of Chromium's check intervals (2.5 s) would be late; shorter gives false alarms. */
export const LOST_AFTER_MS = 4500;

export class LivenessWatch {
  private counter = -1;
  private movedAtMs = 0;

  /** `counter` is any sum that grows with arrivals, or null when there is no pair to ask. */
  isLost(counter: number | null, nowMs: number): boolean {
    if (counter === null || counter !== this.counter) {
      this.counter = counter ?? -1;
      this.movedAtMs = nowMs;
      return false;
    }
    return nowMs - this.movedAtMs >= LOST_AFTER_MS;
  }
}

interface PairStats {
  type: string;
  nominated?: boolean;
  state?: string;
  bytesReceived?: number;
  responsesReceived?: number;
}

/** Arrivals over all nominated pairs of a report, or null when there is none. */
export function arrivals(report: Iterable<PairStats>): number | null {
  let sum: number | null = null;
  for (const entry of report) {
    if (entry.type !== "candidate-pair" || !entry.nominated) continue;
    sum = (sum ?? 0) + (entry.bytesReceived ?? 0) + (entry.responsesReceived ?? 0);
  }
  return sum;
}
