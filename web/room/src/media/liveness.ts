/**
 * Whether media still arrives. The client library notices a dead network only
 * after about 15 s; the selected candidate pair tells within a few: browsers
 * repeat STUN checks on it (RFC 7675 §5.1), and every answer, like every media
 * packet, moves its counters.
 */

/** Standing still this much longer than usual means lost. */
const BEYOND_USUAL_MS = 2000;
/** While pictures or sound arrive, so long without anything is a loss. */
export const LOST_AFTER_MS = 3000;
/** With nothing but STUN checks (every 2.5 s in Chromium), patience ends here. */
export const PATIENCE_MS = 5500;
/** How many arrivals tell what is usual. */
const REMEMBERED = 5;

export class LivenessWatch {
  private counter = -1;
  private movedAtMs = 0;
  private gapsMs: number[] = [];

  /** `counter` is any sum that grows with arrivals, or null when there is no pair to ask. */
  isLost(counter: number | null, nowMs: number): boolean {
    if (counter === null || counter !== this.counter) {
      if (this.counter >= 0 && counter !== null) this.remember(nowMs - this.movedAtMs);
      this.counter = counter ?? -1;
      this.movedAtMs = nowMs;
      return false;
    }
    return nowMs - this.movedAtMs >= this.limitMs();
  }

  private remember(gapMs: number): void {
    this.gapsMs = [...this.gapsMs, gapMs].slice(-REMEMBERED);
  }

  private limitMs(): number {
    if (this.gapsMs.length < REMEMBERED) return PATIENCE_MS;
    return Math.min(PATIENCE_MS, Math.max(LOST_AFTER_MS, Math.max(...this.gapsMs) + BEYOND_USUAL_MS));
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
