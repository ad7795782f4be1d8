/** Finding and naming people and sites of the roster. */
import type { Roster, RosterEntry } from "./protocol";

/** Folds Vietnamese text for searching: “Đăk Pxi” and “dak pxi” become the same. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase().replace(/\s+/g, " ").trim();
}

/** `Đơn vị · Họ tên`, without saying the same thing twice. */
export function label(entry: { name: string; unit?: string | null }): string {
  const unit = entry.unit?.trim();
  if (!unit || fold(unit) === fold(entry.name) || fold(entry.name).includes(fold(unit))) return entry.name;
  return `${unit} · ${entry.name}`;
}

/** The entries in which every word of `query` occurs, exact marks first, then by the roster's order. */
export function search(sites: RosterEntry[], query: string): RosterEntry[] {
  const words = fold(query).split(" ").filter(Boolean);
  if (words.length === 0) return sites;
  const exact = query.trim().toLowerCase().normalize("NFC");
  const found = sites.filter((entry) => {
    const text = fold(label(entry));
    return words.every((word) => text.includes(word));
  });
  const isExact = (entry: RosterEntry) => label(entry).toLowerCase().normalize("NFC").includes(exact);
  return [...found.filter(isExact), ...found.filter((entry) => !isExact(entry))];
}

/** The one whose picture everybody keeps: the named chair, else whoever conducts and is present. */
export function chairIdentity(roster: Roster, chairName: string | null): string | null {
  const conducting = roster.sites.filter((entry) => entry.role === "chair" && entry.is_present);
  const named = conducting.find((entry) => chairName !== null && fold(entry.name).includes(fold(chairName)));
  return (named ?? conducting[0])?.identity ?? null;
}

/** Hidden helpers (recorder, probes) use other prefixes and are shown to nobody. */
export function isShown(identity: string): boolean {
  return identity.startsWith("person:") || identity.startsWith("site:");
}
