import { describe, expect, test } from "vitest";
import type { Roster, RosterEntry } from "./protocol";
import { chairIdentity, fold, isShown, label, search } from "./roster";

const entry = (identity: string, name: string, part: Partial<RosterEntry> = {}): RosterEntry => ({
  identity,
  name,
  unit: null,
  role: "site",
  is_present: true,
  since: null,
  delegates_count: null,
  ...part,
});

describe("folding", () => {
  test.each([
    ["Đăk Pxi", "dak pxi"],
    ["  ĐẮK   GLEI ", "dak glei"],
    ["Ủy ban nhân dân", "uy ban nhan dan"],
    ["Ngọc Réo", "ngoc reo"],
    ["Đăk".normalize("NFD"), "dak"],
  ])("%s reads %s", (text, folded) => expect(fold(text)).toBe(folded));
});

describe("searching", () => {
  const sites = [entry("site:1", "Xã Đăk Pxi"), entry("site:2", "Xã Đắk Long"), entry("site:3", "Sở Y tế")];
  const found = (query: string) => search(sites, query).map((one) => one.identity);

  test("finds without marks", () => expect(found("dak")).toEqual(["site:1", "site:2"]));
  test("puts exact marks first", () => expect(found("đắk")).toEqual(["site:2", "site:1"]));
  test("needs every word, in any order", () => expect(found("pxi xa")).toEqual(["site:1"]));
  test("an empty question finds all", () => expect(found("  ")).toHaveLength(3));
  test("finds nothing where nothing is", () => expect(found("kon plông")).toEqual([]));
});

describe("labels", () => {
  test("say unit and name", () =>
    expect(label({ name: "Trần Thị B", unit: "Sở Tài chính" })).toBe("Sở Tài chính · Trần Thị B"));
  test("do not say the same twice", () => {
    expect(label({ name: "UBND xã Đăk Pxi", unit: "xã Đăk Pxi" })).toBe("UBND xã Đăk Pxi");
    expect(label({ name: "Sở Y tế", unit: "Sở Y tế" })).toBe("Sở Y tế");
    expect(label({ name: "Sở Y tế", unit: null })).toBe("Sở Y tế");
  });
});

describe("the chair", () => {
  const roster = (sites: RosterEntry[]): Roster => ({ version: 1, sites, present_count: 0, invited_count: 0 });
  const chair = entry("person:1", "Nguyễn Văn A", { role: "chair" });
  const secretary = entry("person:2", "Lê Thị B", { role: "chair" });

  test("is the one named, not the secretary who conducts", () =>
    expect(chairIdentity(roster([secretary, chair]), "Nguyễn Văn A")).toBe("person:1"));
  test("is whoever conducts while the named one is away", () =>
    expect(chairIdentity(roster([secretary, { ...chair, is_present: false }]), "Nguyễn Văn A")).toBe("person:2"));
  test("is nobody in a room of sites", () => expect(chairIdentity(roster([entry("site:1", "x")]), null)).toBeNull());
});

test("helpers are shown to nobody", () => {
  expect(isShown("recorder:1")).toBe(false);
  expect(isShown("site:1") && isShown("person:1")).toBe(true);
});
