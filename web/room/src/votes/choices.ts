/** What can be answered, in the order of the ballot paper. */
import type { Choice } from "../conduct/protocol";
import type { Key } from "../i18n/language";

export const CHOICES: readonly { choice: Choice; word: Key }[] = [
  { choice: "for", word: "voteFor" },
  { choice: "against", word: "voteAgainst" },
  { choice: "abstain", word: "voteAbstain" },
];

/** A share in whole and tenth per cent, `66,7 %`; a dash where nobody voted. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return "–";
  const value = (100 * part) / whole;
  return `${value.toLocaleString("vi-VN", { maximumFractionDigits: 1 })} %`;
}
