import { describe, expect, test } from "vitest";
import { KEEP_ALL, receivedCameras } from "./subscriptions";
import { arrange, gridColumns, type Candidate, type StageFacts } from "./layout";

const one = (identity: string, part: Partial<Candidate> = {}): Candidate => ({
  identity,
  isLocal: identity === "me",
  hasCamera: true,
  hasScreen: false,
  ...part,
});
const many = (count: number) => Array.from({ length: count }, (_, index) => one(`site:${index + 1}`));
const facts = (part: Partial<StageFacts> = {}): StageFacts => ({
  candidates: [one("chair"), one("me"), ...many(3)],
  chair: "chair",
  speaker: null,
  spotlight: null,
  preset: "conference",
  limit: 9,
  ...part,
});

describe("the large place", () => {
  test("is the chair's while nobody speaks in a conference", () =>
    expect(arrange(facts(), []).main).toEqual({ identity: "chair", source: "camera" }));

  test("is the speaker's as soon as the floor is given", () =>
    expect(arrange(facts({ speaker: "site:2" }), []).main).toEqual({ identity: "site:2", source: "camera" }));

  test("is the chair's spotlight before the speaker, who stays in sight", () => {
    const layout = arrange(facts({ speaker: "site:2", spotlight: "site:3" }), []);
    expect(layout.main).toEqual({ identity: "site:3", source: "camera" });
    expect(layout.others).toContain("site:2");
    const gone = facts({ speaker: "site:2", spotlight: "site:99" });
    expect(arrange(gone, []).main?.identity).toBe("site:2");
  });

  test("is the shared screen before any face, and the speaker's screen before others", () => {
    const candidates = [one("chair"), one("site:1", { hasScreen: true }), one("site:2", { hasScreen: true })];
    expect(arrange(facts({ candidates, speaker: "site:2" }), []).main).toEqual({
      identity: "site:2",
      source: "screen",
    });
    expect(arrange(facts({ candidates }), []).main).toEqual({ identity: "site:1", source: "screen" });
  });

  test("does not exist in a discussion without speaker", () => {
    const layout = arrange(facts({ preset: "discussion" }), []);
    expect(layout.mode).toBe("grid");
    expect(layout.main).toBeNull();
    expect(layout.others).toHaveLength(5);
  });

  test("is one's own when nobody else is there", () =>
    expect(arrange(facts({ candidates: [one("me")], chair: null }), []).main?.identity).toBe("me"));
});

describe("the smaller places", () => {
  test("always hold the chair, and oneself last", () => {
    const layout = arrange(facts({ speaker: "site:20", candidates: [...many(30), one("me"), one("chair")] }), []);
    expect(layout.others[0]).toBe("chair");
    expect(layout.others.at(-1)).toBe("me");
  });

  test.each([
    [9, 8],
    [4, 3],
  ])("with the large one are never more than %i", (limit, others) => {
    const layout = arrange(facts({ candidates: [one("chair"), one("me"), ...many(40)], limit }), []);
    expect(layout.others).toHaveLength(others);
    expect(layout.unseenCount).toBe(42 - others - 1);
  });

  test("keep their order when somebody new comes", () => {
    const before = ["site:3", "site:1", "me"];
    const layout = arrange(facts({ candidates: [one("chair"), one("site:9"), ...many(3), one("me")] }), before);
    expect(layout.others.slice(0, 2)).toEqual(["site:3", "site:1"]);
  });

  test("do not show the large face twice", () =>
    expect(arrange(facts({ speaker: "site:1" }), []).others).not.toContain("site:1"));

  test("show the presenter's face beside the screen", () => {
    const candidates = [one("chair"), one("me"), one("site:1", { hasScreen: true })];
    expect(arrange(facts({ candidates, speaker: "site:1" }), []).others).toContain("site:1");
  });

  test("prefer those with a picture", () => {
    const dark = Array.from({ length: 20 }, (_, index) => one(`dark:${index}`, { hasCamera: false }));
    const layout = arrange(facts({ candidates: [...dark, one("site:1")], chair: null, limit: 4 }), []);
    expect([layout.main?.identity, ...layout.others]).toContain("site:1");
  });
});

test("the grid has the columns that make pictures largest", () => {
  expect([0, 1, 2, 4, 5, 9].map((count) => gridColumns(count, 1.7))).toEqual([1, 1, 2, 2, 3, 3]);
  expect([1, 2, 3, 4].map((count) => gridColumns(count, 0.6))).toEqual([1, 1, 1, 1]);
  expect(gridColumns(9, 0.75)).toBe(2);
});

test("all cameras of a small meeting are received, of a large one those seen", () => {
  const cameras = Array.from({ length: KEEP_ALL + 1 }, (_, index) => `site:${index}`);
  expect(receivedCameras(cameras.slice(1), new Set()).size).toBe(KEEP_ALL);
  expect([...receivedCameras(cameras, new Set(["site:3", "me"]))]).toEqual(["site:3"]);
});
