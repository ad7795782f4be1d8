import { expect, test } from "vitest";
import { nextItem } from "../console/Programme";
import { shortcutFor } from "./shortcuts";

const plain = { altKey: true, ctrlKey: false, metaKey: false, shiftKey: false };
const keys = [{ letter: "M" }, { letter: "P" }];

test("Alt and a letter is a shortcut by the key's place", () =>
  expect(shortcutFor({ ...plain, code: "KeyM" }, keys)).toEqual({ letter: "M" }));

test.each([{ ctrlKey: true }, { shiftKey: true }, { metaKey: true }, { altKey: false }])(
  "%o keeps it from being one",
  (part) => expect(shortcutFor({ ...plain, code: "KeyM", ...part }, keys)).toBeUndefined(),
);

test("other letters mean nothing", () => expect(shortcutFor({ ...plain, code: "KeyZ" }, keys)).toBeUndefined());

test("the next agenda item follows the selected, the first follows none", () => {
  const items = [1, 2].map((id) => ({ id, title: String(id), presenter: null, minutes: null }));
  expect(nextItem(items, null)?.id).toBe(1);
  expect(nextItem(items, 1)?.id).toBe(2);
  expect(nextItem(items, 2)).toBeNull();
});
