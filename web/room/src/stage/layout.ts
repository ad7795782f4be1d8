/**
 * Who is seen, and where. Pure: participants and the conduct go in, a layout
 * comes out. The large place follows presentations, the chair's spotlight and
 * the floor, never the loudest voice; those already seen keep their places; the chair is always seen.
 */

export interface Candidate {
  identity: string;
  isLocal: boolean;
  hasCamera: boolean;
  hasScreen: boolean;
}

export interface StageFacts {
  candidates: Candidate[];
  chair: string | null;
  speaker: string | null;
  /** Kept large by the chair, whoever speaks. */
  spotlight: string | null;
  preset: "conference" | "discussion";
  /** Number of pictures in all: 9, on a phone 4. */
  limit: number;
}

export interface StageLayout {
  mode: "focus" | "grid";
  main: { identity: string; source: "camera" | "screen" } | null;
  /** The smaller pictures in order; the chair first, oneself last. */
  others: string[];
  /** Participants present but not seen. */
  unseenCount: number;
}

export const DESKTOP_LIMIT = 9;
export const PHONE_LIMIT = 4;

/** The layout for these facts; `before` are the identities seen until now, in their order. */
export function arrange(facts: StageFacts, before: readonly string[]): StageLayout {
  const present = new Map(facts.candidates.map((candidate) => [candidate.identity, candidate]));
  const main = chooseMain(facts, present);
  const isGrid = main === null;
  const room = facts.limit - (isGrid ? 0 : 1);
  const seenLarge = main?.source === "camera" ? main.identity : null;
  const others = chooseOthers(facts, present, before, seenLarge, room);
  return {
    mode: isGrid ? "grid" : "focus",
    main,
    others,
    unseenCount: facts.candidates.length - others.length - (seenLarge ? 1 : 0),
  };
}

function chooseMain(facts: StageFacts, present: Map<string, Candidate>): StageLayout["main"] {
  const sharing = [...present.values()].filter((candidate) => candidate.hasScreen);
  const presenter = sharing.find((candidate) => candidate.identity === facts.speaker) ?? sharing[0];
  if (presenter) return { identity: presenter.identity, source: "screen" };
  const large = [facts.spotlight, facts.speaker].find((identity) => identity !== null && present.has(identity));
  if (large) return { identity: large, source: "camera" };
  if (facts.preset === "discussion" && present.size > 1) return null;
  const fallback =
    (facts.chair !== null && present.get(facts.chair)) ||
    [...present.values()].find((candidate) => !candidate.isLocal && candidate.hasCamera) ||
    [...present.values()].find((candidate) => !candidate.isLocal) ||
    [...present.values()][0];
  return fallback ? { identity: fallback.identity, source: "camera" } : null;
}

function chooseOthers(
  facts: StageFacts,
  present: Map<string, Candidate>,
  before: readonly string[],
  seenLarge: string | null,
  room: number,
): string[] {
  const self = facts.candidates.find((candidate) => candidate.isLocal)?.identity ?? null;
  const must = [facts.chair, facts.spotlight, facts.speaker];
  const wanted = [
    ...must,
    ...before,
    ...facts.candidates.filter((candidate) => candidate.hasCamera).map((candidate) => candidate.identity),
    ...facts.candidates.map((candidate) => candidate.identity),
  ];
  const isFree = (identity: string | null): identity is string =>
    identity !== null && present.has(identity) && identity !== seenLarge && identity !== self;
  const places = self !== null && self !== seenLarge ? room - 1 : room;
  const chosen = [...new Set(wanted.filter(isFree))].slice(0, Math.max(0, places));
  // Keep the places of those seen before; newcomers follow.
  const rank = (identity: string) => {
    if (identity === facts.chair) return -1;
    const index = before.indexOf(identity);
    return index < 0 ? before.length : index;
  };
  const ordered = chosen
    .map((identity, index) => ({ identity, index }))
    .sort((a, b) => rank(a.identity) - rank(b.identity) || a.index - b.index)
    .map((one) => one.identity);
  return self !== null && self !== seenLarge ? [...ordered, self] : ordered;
}

const PICTURE_RATIO = 16 / 9;

/** Columns of an even grid that show `count` pictures largest on a stage `ratio` times as wide as high. */
export function gridColumns(count: number, ratio: number): number {
  let best = { columns: 1, width: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const width = Math.min(ratio / columns, PICTURE_RATIO / rows);
    // Nearly as large side by side reads better than stacked.
    if (width > best.width * 0.92) best = { columns, width: Math.max(width, best.width) };
  }
  return best.columns;
}
