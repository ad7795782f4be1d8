import { describe, expect, it } from "vitest";
import { add, between, NOTHING, type Counters } from "./figures";
import { best, UNTRIED } from "./line";
import { hasTurn, held, keepCandidates, leadsBy } from "./routes";
import { reportOf, waySteps } from "./run";

const UDP = "a=candidate:1 1 udp 2130706431 10.0.0.1 7882 typ host";
const TCP = "a=candidate:2 1 TCP 1518280447 10.0.0.1 7881 typ host tcptype passive";

describe("ways", () => {
  it("keeps only the candidates that lead by a way", () => {
    const sdp = ["v=0", UDP, TCP, "a=end-of-candidates", ""].join("\r\n");
    expect(keepCandidates(sdp, "udp")).toEqual({ sdp: sdp.replace(`${TCP}\r\n`, ""), kept: 1 });
    expect(keepCandidates(sdp, "tcp")).toEqual({ sdp: sdp.replace(`${UDP}\r\n`, ""), kept: 1 });
    expect(keepCandidates("v=0\r\n", "tcp").kept).toBe(0);
    expect(leadsBy("candidate:1 1 UDP 1 10.0.0.1 7882 typ host", "udp")).toBe(true);
    expect(leadsBy("nonsense", "udp")).toBe(false);
  });

  it("goes by TURN alone, or without it", () => {
    const config = { iceServers: [{ urls: ["turn:a:3478?transport=tcp"] }] };
    expect(hasTurn(config.iceServers)).toBe(true);
    expect(hasTurn([{ urls: "stun:a:3478" }])).toBe(false);
    expect(hasTurn(undefined)).toBe(false);
    expect(held(config, "turn")).toMatchObject({ iceTransportPolicy: "relay", ...config });
    expect(held(config, "udp").iceServers).toEqual([]);
  });

  it("measures by the way that meetings would take", () => {
    expect(best({ ...UNTRIED, udp: "blocked", tcp: "open", turn: "open" })).toBe("tcp");
    expect(best(UNTRIED)).toBeNull();
  });
});

function counters(change: Partial<Counters>): Counters {
  return { ...NOTHING, atMs: 0, ...change };
}

describe("figures", () => {
  it("come from the difference of two moments", () => {
    const before = counters({ sentBytes: 1000, sentPackets: 10, receivedBytes: 5000, receivedPackets: 20 });
    const after = counters({
      atMs: 2000, sentBytes: 251_000, sentPackets: 210, lostUp: 20,
      receivedBytes: 505_000, receivedPackets: 415, lostDown: 5, rttMs: [40, 20, 30], jitterMs: [2],
    });
    expect(between(before, after, [])).toEqual({
      up_kbps: 900, down_kbps: 2000, up_loss_permille: 100, down_loss_permille: 13,
      rtt_ms: 30, jitter_ms: 2, is_cpu_bound: false,
    });
  });

  it("are none when nothing came back or no time passed", () => {
    expect(between(counters({}), counters({ atMs: 1000, sentBytes: 9 }), [])).toBeNull();
    expect(between(counters({}), counters({ sentBytes: 9, receivedBytes: 9 }), [])).toBeNull();
  });

  it("never give a loss below nothing or above everything", () => {
    const before = counters({ lostDown: 50, lostUp: 9 });
    const after = counters({
      atMs: 1000, sentBytes: 10, sentPackets: 2, lostUp: 90, receivedBytes: 10, receivedPackets: 3, lostDown: 40,
    });
    expect(between(before, after, [])).toMatchObject({ up_loss_permille: 1000, down_loss_permille: 0 });
  });

  it("add connections up and read only what is a number", () => {
    const sum = [
      [{ type: "outbound-rtp", bytesSent: 100, headerBytesSent: 10, packetsSent: 3, qualityLimitationReason: "cpu" },
        { type: "remote-inbound-rtp", packetsLost: 1, jitter: 0.004 }],
      [{ type: "inbound-rtp", bytesReceived: 70, packetsReceived: 2, packetsLost: undefined, jitter: 0.002 },
        { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.021 },
        { type: "candidate-pair", nominated: false, currentRoundTripTime: 9 }],
    ].reduce((known, report) => add(known, report), counters({}));
    expect(sum).toEqual(counters({
      sentBytes: 110, sentPackets: 3, lostUp: 1, receivedBytes: 70, receivedPackets: 2,
      jitterMs: [4, 2], rttMs: [21], isCpuBound: true,
    }));
  });
});

describe("a run", () => {
  it("shows which way is tried and what was left out", () => {
    const tried = { ...UNTRIED, isNodeReached: true, udp: "blocked" as const };
    expect(waySteps(tried, "tcp")).toEqual({ udp: "blocked", tcp: "running", turn: "waiting" });
    expect(waySteps(UNTRIED, null)).toEqual({ udp: "skipped", tcp: "skipped", turn: "skipped" });
  });

  it("reports no figures without a way", () => {
    const devices = { camera: "ok", microphone: "silent", speaker: "skipped" } as const;
    const made = reportOf(devices, UNTRIED, null, null);
    expect(made).toMatchObject({ ...devices, is_node_reached: false, via: null, rates: null, udp: "untried" });
  });
});
