import { describe, expect, test } from "vitest";
import { FIRST_CHOICES, keepChoices, readChoices } from "./choices";
import { replacement, sorted } from "./devices";
import { classify, failureKey } from "./failures";
import { meterPosition, rootMeanSquare, SilenceWatch, SILENT_AFTER_MS } from "./level";
import { arrivals, LivenessWatch, LOST_AFTER_MS, PATIENCE_MS } from "./liveness";
import { mayPublish } from "./permission";
import { TokenError } from "./token";

describe("why a device does not open", () => {
  test.each([
    ["NotAllowedError", "Permission denied", "refused"],
    ["NotAllowedError", "Permission denied by system", "system"],
    ["NotFoundError", "", "missing"],
    ["OverconstrainedError", "", "missing"],
    ["NotReadableError", "", "busy"],
    ["AbortError", "", "busy"],
    ["TypeError", "", "unknown"],
  ])("%s “%s” means %s", (name, message, failure) => expect(classify({ name, message }, true)).toBe(failure));

  test("a page without https is the cause before any other", () =>
    expect(classify({ name: "TypeError", message: "" }, false)).toBe("insecure"));

  test("each device has its own sentence", () => {
    expect(failureKey("camera", "busy")).toBe("cameraBusy");
    expect(failureKey("microphone", "refused")).toBe("microphoneRefused");
    expect(failureKey("screen", "unknown")).toBe("screenFailed");
    expect(failureKey("screen", "insecure")).toBe("needsHttps");
  });
});

describe("the microphone's level", () => {
  test("is the root mean square", () => {
    expect(rootMeanSquare(new Float32Array([0.5, -0.5, 0.5, -0.5]))).toBeCloseTo(0.5);
    expect(rootMeanSquare(new Float32Array())).toBe(0);
  });

  test("fills the meter between −60 and 0 dBFS", () => {
    expect(meterPosition(0)).toBe(0);
    expect(meterPosition(0.001)).toBeCloseTo(0);
    expect(meterPosition(1)).toBe(1);
    expect(meterPosition(10 ** (-30 / 20))).toBeCloseTo(0.5);
  });

  test("is called silent only after eight seconds without sound", () => {
    const watch = new SilenceWatch(0);
    expect(watch.isSilent(0, SILENT_AFTER_MS - 1)).toBe(false);
    expect(watch.isSilent(0, SILENT_AFTER_MS)).toBe(true);
    expect(watch.isSilent(0.1, SILENT_AFTER_MS + 10)).toBe(false);
    expect(watch.isSilent(0, SILENT_AFTER_MS + 20)).toBe(false);
  });
});

describe("whether media arrives", () => {
  test("is doubted when counters stand still, and believed again when they move", () => {
    const watch = new LivenessWatch();
    for (let second = 0; second <= 6; second += 1) expect(watch.isLost(second, second * 1000)).toBe(false);
    expect(watch.isLost(6, 6000 + LOST_AFTER_MS - 1)).toBe(false);
    expect(watch.isLost(6, 6000 + LOST_AFTER_MS)).toBe(true);
    expect(watch.isLost(7, 6000 + LOST_AFTER_MS + 1)).toBe(false);
  });

  test("is given more time where arrivals are rare, or not yet known", () => {
    const unknown = new LivenessWatch();
    expect(unknown.isLost(1, 0)).toBe(false);
    expect(unknown.isLost(1, PATIENCE_MS - 1)).toBe(false);
    expect(unknown.isLost(1, PATIENCE_MS)).toBe(true);
    const rare = new LivenessWatch();
    for (let check = 0; check <= 6; check += 1) expect(rare.isLost(check, check * 2500)).toBe(false);
    expect(rare.isLost(6, 15_000 + 4499)).toBe(false);
    expect(rare.isLost(6, 15_000 + 4500)).toBe(true);
  });

  test("is not judged without a pair", () => {
    const watch = new LivenessWatch();
    expect(watch.isLost(null, 0)).toBe(false);
    expect(watch.isLost(null, 60_000)).toBe(false);
  });

  test("sums nominated pairs only", () => {
    const pair = { type: "candidate-pair", bytesReceived: 10, responsesReceived: 2 };
    expect(arrivals([{ ...pair, nominated: true }, pair, { type: "transport", bytesReceived: 99 }])).toBe(12);
    expect(arrivals([pair])).toBeNull();
  });
});

describe("permission", () => {
  test("without a list of sources covers all", () =>
    expect(mayPublish({ canPublish: true, canPublishSources: [] }, "microphone")).toBe(true));
  test("with a list covers just these", () => {
    const cameraOnly = { canPublish: true, canPublishSources: [1] };
    expect(mayPublish(cameraOnly, "camera")).toBe(true);
    expect(mayPublish(cameraOnly, "microphone")).toBe(false);
  });
  test("taken away covers nothing", () =>
    expect(mayPublish({ canPublish: false, canPublishSources: [] }, "camera")).toBe(false));
});

describe("devices", () => {
  const device = (deviceId: string, kind: MediaDeviceKind = "audioinput") =>
    ({ deviceId, kind, label: deviceId, groupId: "" }) as MediaDeviceInfo;

  test("without an id are left out", () =>
    expect(sorted([device(""), device("a"), device("b", "videoinput")]).microphones).toHaveLength(1));
  test("that vanish are replaced by the first that is left", () => {
    const [a, b] = [device("a"), device("b")];
    expect(replacement("a", [a, b], [b])).toEqual({ lost: a, next: b });
    expect(replacement("a", [a], [])).toEqual({ lost: a, next: null });
    expect(replacement("a", [a, b], [a])).toBeNull();
    expect(replacement(null, [a], [])).toBeNull();
  });
});

describe("choices", () => {
  test("come back as they were kept", () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    const choices = { ...FIRST_CHOICES, cameraId: "c", isMicrophoneOn: true };
    keepChoices(storage, choices);
    expect(readChoices(storage)).toEqual(choices);
  });
  test.each(["{", "null", '{"isCameraOn":"yes","cameraId":5}'])("fall back where %s was stored", (stored) =>
    expect(readChoices({ getItem: () => stored })).toEqual(FIRST_CHOICES),
  );
});

test("a token refused for the time being is asked for again; an ended meeting is not", () => {
  expect(new TokenError(409, "too_early", "").isNotYet).toBe(true);
  expect(new TokenError(409, "ended", "").isNotYet).toBe(false);
  expect(new TokenError(409, "ended", "").isFinal).toBe(true);
  expect(new TokenError(403, "removed", "").isFinal).toBe(true);
  expect(new TokenError(503, "engine_unavailable", "").isFinal).toBe(false);
});
