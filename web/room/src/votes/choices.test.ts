import { expect, test } from "vitest";
import { percent } from "./choices";

test("a share is written as the house writes figures", () => {
  expect(percent(2, 3)).toBe("66,7 %");
  expect(percent(3, 3)).toBe("100 %");
});

test("a share of nothing is a dash", () => {
  expect(percent(0, 0)).toBe("–");
});
