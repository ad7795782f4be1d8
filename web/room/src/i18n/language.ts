/**
 * The words of the room. Vietnamese is the source; English has the same keys or
 * the type check fails. The language is the page's and does not change while it
 * is open, so a sentence is a function of its key alone.
 */
import { en } from "./en";
import { vi, type Key } from "./vi";

const dictionaries: Record<"vi" | "en", Record<Key, string>> = { vi, en };
let words: Record<Key, string> = vi;

export function setLanguage(language: "vi" | "en"): void {
  words = dictionaries[language];
}

/** The sentence for `key`, with each `{name}` replaced by `values.name`. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return words[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export type { Key };
