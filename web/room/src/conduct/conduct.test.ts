import { describe, expect, test } from "vitest";
import type { Admission } from "../boot";
import { hasFloor, initialConduct, isOpen, isOver, ownPlace, received, withOwnBallot, type Conduct } from "./conduct";
import type { ChatMessage, Floor, ServerEvent, Snapshot, Vote } from "./protocol";

const boot: Admission = {
  meeting: {
    id: 7,
    title: "Giao ban",
    scope: "intra",
    status: "invited",
    starts_at: "2026-12-10T01:00:00Z",
    ends_at: "2026-12-10T04:00:00Z",
    opens_at: null,
    chair: "Nguyễn Văn A",
    agenda: [],
  },
  me: { identity: "site:41", name: "UBND xã Đăk Pxi", role: "site", unit: null, may: ["floor.request"] },
  token_url: "/api/v1/meetings/7/token",
  hotline: null,
  language: "vi",
  problem: null,
  leave_url: "/",
};

const NOW_MS = Date.parse("2026-12-10T01:30:00Z");
const after = (...events: ServerEvent[]): Conduct =>
  events.reduce((conduct, event) => received(conduct, event, NOW_MS), initialConduct(boot));

const floor = (version: number, part: Partial<Floor> = {}): ServerEvent => ({
  name: "floor",
  data: { version, preset: "conference", speaker: null, spotlight: null, queue: [], ...part },
});
const mine = { identity: "site:41", name: "UBND xã Đăk Pxi", since: "2026-12-10T01:20:00Z", limit_s: 300 };
const other = { identity: "site:42", name: "Sở Y tế", since: "2026-12-10T01:25:00Z", limit_s: 300 };
const message = (id: number): ChatMessage => ({
  id,
  at: "2026-12-10T01:00:00Z",
  identity: "site:42",
  name: "Sở Y tế",
  text: `tin ${id}`,
});

const snapshot: Snapshot = {
  version: 9,
  server_time: "2026-12-10T01:30:05Z",
  meeting: { status: "live", opened_at: "2026-12-10T01:00:00Z", ended_at: null },
  me: boot.me,
  roster: { version: 9, sites: [], present_count: 3, invited_count: 5 },
  floor: { version: 9, preset: "discussion", speaker: null, spotlight: null, queue: [] },
  agenda: { item_id: 1, since: "2026-12-10T01:00:00Z" },
  vote: null,
  own_ballot: null,
  chat: [message(1), message(2)],
  recording: { state: "recording", since: "2026-12-10T01:10:00Z", message: null, decided_by: "Chủ tọa" },
};

describe("the snapshot", () => {
  test("opens the room and sets the server's clock", () => {
    const conduct = after({ name: "state", data: snapshot });
    expect(isOpen(conduct)).toBe(true);
    expect(conduct.clockOffsetMs).toBe(5000);
    expect(conduct.roster.present_count).toBe(3);
    expect(conduct.recording.state).toBe("recording");
  });

  test("that comes late never replaces a newer floor", () => {
    const conduct = after(floor(12, { speaker: other }), { name: "state", data: snapshot });
    expect(conduct.roster.version).toBe(9);
    expect(after(floor(12, { speaker: other }), floor(11)).floor.speaker).toEqual(other);
  });

  test("keeps the messages already known and adds the missing", () => {
    const conduct = after(
      { name: "chat", data: message(2) },
      { name: "chat", data: message(3) },
      {
        name: "state",
        data: snapshot,
      },
    );
    expect(conduct.chat.map((one) => one.id).sort()).toEqual([1, 2, 3]);
  });
});

describe("the floor", () => {
  test("tells one's own place from 1", () => {
    const entry = { name: "", requested_at: "", times_spoken: 0 };
    const conduct = after(
      floor(1, {
        queue: [
          { identity: "site:1", ...entry },
          { identity: "site:41", ...entry },
        ],
      }),
    );
    expect(ownPlace(conduct)).toBe(2);
    expect(ownPlace(after(floor(1)))).toBeNull();
  });

  test("keeps the call while it is mine and drops it when it passes on", () => {
    const call: ServerEvent = { name: "microphone.request", data: { by: "Chủ tọa" } };
    const called = after(floor(1, { speaker: mine }), call);
    expect(hasFloor(called)).toBe(true);
    expect(called.call).toEqual({ by: "Chủ tọa" });
    expect(received(called, floor(2, { speaker: mine }), NOW_MS).call).not.toBeNull();
    expect(received(called, floor(2, { speaker: other }), NOW_MS).call).toBeNull();
  });

  test("is called even when the call arrives before the floor", () => {
    const call: ServerEvent = { name: "microphone.request", data: { by: "Chủ tọa" } };
    expect(after(call, floor(1, { speaker: mine })).call).toEqual({ by: "Chủ tọa" });
  });
});

describe("the way out", () => {
  test.each(["ended", "cancelled", "postponed"])("a meeting that is %s is over", (status) => {
    expect(isOver(status)).toBe(true);
    expect(after({ name: "meeting", data: { status, opened_at: null, ended_at: null } }).departure).toBe("ended");
  });

  test("somebody removed stays removed when the meeting ends", () => {
    const conduct = after(
      { name: "removed", data: { by: "Chủ tọa" } },
      { name: "meeting", data: { status: "ended", opened_at: null, ended_at: null } },
    );
    expect(conduct.departure).toBe("removed");
  });

  test("muting is counted, so that each is announced", () => {
    const muted: ServerEvent = { name: "microphone.muted", data: { by: "Chủ tọa" } };
    expect(after(muted, muted).muteCount).toBe(2);
  });
});

describe("votes", () => {
  const open: Vote = {
    id: 3,
    question: "Thông qua Nghị quyết",
    is_secret: false,
    opened_at: "2026-12-10T01:20:00Z",
    closed_at: null,
    published_at: null,
    cast_count: 4,
    eligible_count: 10,
    totals: null,
  };
  const vote = (part: Partial<Vote> = {}): ServerEvent => ({ name: "vote", data: { vote: { ...open, ...part } } });

  test("only move on", () => {
    const closed = { closed_at: "2026-12-10T01:22:00Z" };
    expect(after(vote(closed), vote()).vote?.closed_at).toBe(closed.closed_at);
    expect(after(vote({ cast_count: 6 }), vote()).vote?.cast_count).toBe(6);
    expect(after(vote({ id: 4 }), vote()).vote?.id).toBe(4);
  });

  test("keep the own ballot until the next question", () => {
    const cast = withOwnBallot(after(vote()), 3, "for");
    expect(received(cast, vote({ cast_count: 5 }), NOW_MS).ownBallot).toBe("for");
    expect(received(cast, vote({ id: 4, cast_count: 0 }), NOW_MS).ownBallot).toBeNull();
  });

  test("an answer about an older question changes nothing", () =>
    expect(withOwnBallot(after(vote({ id: 4 })), 3, "for").ownBallot).toBeNull());
});
