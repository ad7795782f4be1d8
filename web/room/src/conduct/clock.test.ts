import { expect, test } from "vitest";
import { dayOf, elapsed, spanOf, timeOfDay } from "./clock";

const at = (text: string) => Date.parse(text);

test("elapsed time grows an hour's place only when needed", () => {
  expect(elapsed(0, 133_000)).toBe("02:13");
  expect(elapsed(0, 9_667_000)).toBe("2:41:07");
  expect(elapsed(5000, 0)).toBe("00:00");
});

test("the time of day is the province's, without a leading zero", () => {
  expect(timeOfDay(at("2026-12-10T01:42:00Z"))).toBe("8:42");
  expect(timeOfDay(at("2026-12-10T17:05:00Z"))).toBe("0:05");
});

test("dates have day, month, year", () => expect(dayOf(at("2026-12-09T18:00:00Z"))).toBe("10/12/2026"));

test("a span names its day once, or both days", () => {
  expect(spanOf("2026-12-10T01:00:00Z", "2026-12-10T04:00:00Z")).toBe("8:00–11:00, 10/12/2026");
  expect(spanOf("2026-12-10T01:00:00Z", "2026-12-11T04:00:00Z")).toBe("8:00–11:00, 10/12/2026–11/12/2026");
});
