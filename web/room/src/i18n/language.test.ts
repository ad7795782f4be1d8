import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { en } from "./en";
import { setLanguage, t } from "./language";
import { vi } from "./vi";

const SOURCES = fileURLToPath(new URL("..", import.meta.url));

function sources(): string {
  return readdirSync(SOURCES, { recursive: true, encoding: "utf-8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith("i18n") && !name.includes(".test."))
    .map((name) => readFileSync(`${SOURCES}/${name}`, "utf-8"))
    .join("\n");
}

const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

afterEach(() => setLanguage("vi"));

describe("sentences", () => {
  test("fill in what they are given", () => {
    expect(t("queuedAt", { place: 4 })).toBe("Đã đăng ký, thứ 4.");
    setLanguage("en");
    expect(t("queuedAt", { place: 4 })).toBe("Queued, number 4.");
  });

  test.each(Object.keys(vi) as (keyof typeof vi)[])("%s has the same places in both languages", (key) =>
    expect(places(en[key])).toEqual(places(vi[key])),
  );

  test("are all used", () => {
    const text = sources();
    expect(Object.keys(vi).filter((key) => !text.includes(`"${key}"`))).toEqual([]);
  });
});
