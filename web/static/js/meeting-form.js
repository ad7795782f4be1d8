// Planning a meeting: the classification opens the rest, warnings follow what is typed, the tree of
// sites and the list of what is chosen belong together, agenda items are added, moved and removed.

import "./day-field.js";
import { SiteTree } from "./site-tree.js";

const form = document.getElementById("meeting-form");
const rest = document.getElementById("rest");
const CHECK_AFTER_MS = 400;
const checking = { timer: 0, turn: 0 };

// ---- classification first -----------------------------------------------------------------

function classified() {
  const value = form.elements.classification.value;
  const isOpen = value === "khong";
  rest.disabled = !isOpen;
  document.getElementById("classify-first").hidden = value !== "";
  document.getElementById("refusal").hidden = value === "" || isOpen;
  for (const button of form.querySelectorAll(".plan-actions button[type=submit]")) button.disabled = !isOpen;
}
document.getElementById("classification").addEventListener("change", classified);

// ---- central meetings name their host ------------------------------------------------------

const external = document.getElementById("external");
function scoped() {
  const isCentral = form.elements.scope.value === "central";
  external.hidden = !isCentral;
  document.getElementById("relay").hidden = !isCentral;
  document.getElementById("grounds").hidden = isCentral;
}
document.getElementById("scope").addEventListener("change", scoped);

// ---- ad hoc meetings give their reason ----------------------------------------------------------

const adHoc = form.elements.is_ad_hoc;
function reasoned() {
  document.getElementById("ad-hoc").hidden = !adHoc.checked;
}
adHoc.addEventListener("change", reasoned);

// ---- a series says how it comes back -------------------------------------------------------------

function repeated() {
  const rhythm = form.elements.rhythm;
  if (!rhythm) return;
  for (const id of ["repeat", "repeat-more"]) document.getElementById(id).hidden = ["", "none"].includes(rhythm.value);
}
form.elements.rhythm?.addEventListener("change", repeated);

// ---- sites --------------------------------------------------------------------------------

const selected = document.getElementById("selected");

function showSelected(boxes) {
  for (const figure of document.querySelectorAll("[data-selected-count]")) figure.textContent = boxes.length;
  checkSoon();
  selected.replaceChildren(...(boxes.length ? boxes.map(entry) : [nothing()]));
}

function entry(box) {
  const line = document.createElement("li");
  const name = document.createElement("span");
  name.textContent = box.dataset.name;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "selected-remove";
  remove.textContent = selected.dataset.remove;
  remove.setAttribute("aria-label", `${selected.dataset.remove} ${box.dataset.name}`);
  remove.addEventListener("click", () => {
    const place = [...selected.children].indexOf(line);
    tree.untick(box.value);
    (selected.children[place] ?? selected.lastElementChild)?.querySelector("button")?.focus();
  });
  line.append(name, remove);
  return line;
}

function nothing() {
  const line = document.createElement("li");
  line.className = "muted";
  line.textContent = selected.dataset.none;
  return line;
}

const frame = document.getElementById("site-tree");
const tree = new SiteTree(frame, showSelected);

// The tree is that of the meeting's day: reforms change which units there are.
document.getElementById("day").addEventListener("change", async () => {
  const answer = await ask(form.dataset.sites);
  if (answer === null) return;
  frame.innerHTML = answer;
  tree.refresh();
});

// ---- warnings -----------------------------------------------------------------------------

async function ask(address) {
  try {
    const answer = await fetch(address, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null; // offline: the server checks again when the form is sent
  }
}

function checkSoon() {
  clearTimeout(checking.timer);
  checking.timer = setTimeout(async () => {
    if (rest.disabled) return;
    const mine = ++checking.turn;
    const answer = await ask(form.dataset.check);
    if (answer !== null && mine === checking.turn) document.getElementById("advice").innerHTML = answer;
  }, CHECK_AFTER_MS);
}
const CHECKED = [
  "scope", "day", "starts", "ends", "end_day", "chair", "secretary", "title", "classification", "kind", "form",
  "location", "is_ad_hoc", "ad_hoc_reason", "is_not_prohibited",
];
for (const name of CHECKED) {
  for (const control of [form.elements[name]].flatMap((found) => (found instanceof RadioNodeList ? [...found] : [found]))) {
    control.addEventListener("change", checkSoon);
    control.addEventListener("input", checkSoon);
  }
}

// The next free time is one press away; the length stays as it was.
document.getElementById("advice").addEventListener("click", (event) => {
  const button = event.target.closest("[data-free-day]");
  if (!button) return;
  const length = minutesOf(form.elements.ends.value) - minutesOf(form.elements.starts.value);
  const start = minutesOf(button.dataset.freeTime);
  put(form.elements.day, button.dataset.freeDay);
  put(form.elements.starts, button.dataset.freeTime);
  if (length > 0) put(form.elements.ends, clockOf(start + length));
  if (length > 0) put(form.elements.end_day, "");
  form.elements.starts.focus();
});

function minutesOf(text) {
  const [, hours, minutes] = /^\s*(\d{1,2})\D?(\d{2})?/.exec(text) ?? [];
  return hours === undefined ? NaN : Number(hours) * 60 + Number(minutes ?? 0);
}

function clockOf(minutes) {
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

function put(control, value) {
  control.value = value;
  control.dispatchEvent(new Event("input", { bubbles: true }));
  control.dispatchEvent(new Event("change", { bubbles: true }));
}

// ---- somebody else saved meanwhile: take over single fields of the stored version ---------------

for (const button of document.querySelectorAll("[data-take]")) {
  button.addEventListener("click", () => {
    const control = form.elements[button.dataset.take];
    if (control.type === "checkbox") {
      control.checked = button.dataset.value !== "";
      control.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (control instanceof RadioNodeList) {
      control.value = button.dataset.value;
      control[0].dispatchEvent(new Event("change", { bubbles: true }));
    } else put(control, button.dataset.value);
    button.textContent = button.dataset.taken;
  });
}

// ---- agenda ---------------------------------------------------------------------------------

const rows = document.getElementById("agenda-rows");
const blank = document.getElementById("agenda-blank");
const said = document.getElementById("agenda-said");

function renumber() {
  [...rows.children].forEach((row, place) => {
    row.querySelector(".agenda-number").textContent = place + 1;
    row.querySelector("[data-move='-1']").disabled = place === 0;
    row.querySelector("[data-move='1']").disabled = place === rows.children.length - 1;
  });
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

export function addRow() {
  rows.append(blank.content.cloneNode(true));
  renumber();
  return rows.lastElementChild;
}

document.getElementById("agenda-add").addEventListener("click", () => addRow().querySelector("input").focus());
rows.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = button?.closest(".agenda-row");
  if (!row) return;
  if (button.dataset.move === "-1") row.previousElementSibling?.before(row);
  if (button.dataset.move === "1") row.nextElementSibling?.after(row);
  if (button.dataset.remove !== undefined) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    said.textContent = said.dataset.removed;
    if (!rows.children.length) addRow();
    (next ?? rows.lastElementChild).querySelector("input").focus();
  }
  renumber();
  if (button.dataset.move) {
    said.textContent = `${said.dataset.moved} ${[...rows.children].indexOf(row) + 1}`;
    (button.disabled ? row.querySelector("[data-move]:not(:disabled)") : button)?.focus();
  }
});
rows.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault(); // Enter goes on to the next item instead of sending the form
  const row = event.target.closest(".agenda-row");
  (row.nextElementSibling ?? addRow()).querySelector("input").focus();
});

// Many lines pasted into one item become items; what is too much stays where it can be shortened.
const surplus = document.getElementById("agenda-rest");
const pasted = document.getElementById("agenda-pasted");
rows.addEventListener("paste", (event) => {
  if (event.target.name !== "agenda_title") return;
  const lines = event.clipboardData.getData("text/plain").split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (lines.length < 2) return;
  event.preventDefault();
  const most = Number(rows.dataset.most);
  let row = event.target.closest(".agenda-row");
  let taken = 0;
  while (taken < lines.length && rows.children.length <= most) {
    const field = row.querySelector("[name=agenda_title]");
    if (field.value.trim() === "" || taken === 0) {
      const [title, presenter, minutes] = lines[taken].split("\t");
      field.value = title.slice(0, 300);
      if (presenter) row.querySelector("[name=agenda_presenter]").value = presenter.trim().slice(0, 200);
      if (/^\d+$/.test(minutes?.trim() ?? "")) row.querySelector("[name=agenda_minutes]").value = minutes.trim().slice(0, 4);
      taken += 1;
      if (taken === lines.length) break;
    }
    if (rows.children.length >= most && !row.nextElementSibling) break;
    const next = blank.content.cloneNode(true);
    if (row.nextElementSibling?.querySelector("[name=agenda_title]").value === "") row = row.nextElementSibling;
    else {
      row.after(next);
      row = row.nextElementSibling;
    }
  }
  const left = lines.slice(taken);
  surplus.hidden = left.length === 0;
  pasted.hidden = left.length === 0;
  document.getElementById("agenda-rest-text").value = left.join("\n");
  pasted.querySelector("span").textContent = rows.dataset.tooMany.replace("{n}", lines.length).replace("{kept}", taken);
  renumber();
  row.querySelector("[name=agenda_title]").focus();
});

// A draft kept on this machine may hold more agenda items than the blank form shows.
function restoreAgenda() {
  const kept = localStorage.getItem(`diemcau.draft.${form.dataset.keep}`);
  if (!kept || document.querySelector(".error-summary")) return;
  const values = JSON.parse(kept);
  const column = (name) => values.filter(([key]) => key === name).map(([, value]) => value);
  const titles = column("agenda_title");
  titles.forEach((title, place) => {
    const row = rows.children[place] ?? addRow();
    row.querySelector("[name=agenda_title]").value = title;
    row.querySelector("[name=agenda_presenter]").value = column("agenda_presenter")[place] ?? "";
    row.querySelector("[name=agenda_minutes]").value = column("agenda_minutes")[place] ?? "";
  });
}

restoreAgenda();
renumber();
classified();
scoped();
reasoned();
repeated();
tree.refresh();
