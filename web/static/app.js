// Behaviour of the ordinary pages: an answer to every press within a tenth of a second, dialogs,
// toasts, drafts kept on this machine. Pages work without it; templates/base.html says how to use it.

const region = document.getElementById("toasts");
const TOAST_MS = 6000;
const DRAFT_PREFIX = "diemcau.draft.";

// ---- toasts -------------------------------------------------------------------------------

function symbol(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${region.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

export function toast(text, tone = "info") {
  const box = document.createElement("div");
  box.className = `toast toast-${tone}`;
  box.setAttribute("role", tone === "danger" ? "alert" : "status");
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.setAttribute("aria-label", region.dataset.close);
  close.append(symbol("close"));
  close.addEventListener("click", () => box.remove());
  box.append(symbol({ ok: "check", danger: "error", warn: "warning" }[tone] ?? "info"), words, close);
  region.append(box);
  if (tone === "danger") return; // errors stay until they are closed
  let timer;
  const start = () => { timer = setTimeout(() => box.remove(), TOAST_MS); };
  const hold = () => clearTimeout(timer);
  for (const name of ["mouseenter", "focusin"]) box.addEventListener(name, hold);
  for (const name of ["mouseleave", "focusout"]) box.addEventListener(name, start);
  start();
}

for (const note of region.querySelectorAll("template[data-toast]")) {
  toast(note.content.textContent, note.dataset.toast);
  note.remove();
}
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));

// ---- busy buttons ---------------------------------------------------------------------------

function setBusy(button, isBusy) {
  const words = button.querySelector("span:not(.visually-hidden)") ?? button;
  if (isBusy) {
    if (button.dataset.idle !== undefined) return;
    button.dataset.idle = words.textContent;
    words.textContent = button.dataset.busy || region.dataset.busy;
  } else if (button.dataset.idle !== undefined) {
    words.textContent = button.dataset.idle;
    delete button.dataset.idle;
  }
  button.classList.toggle("is-busy", isBusy);
  button.setAttribute("aria-disabled", String(isBusy));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog") return;
  if (form.dataset.sent) {
    event.preventDefault(); // the first press is on its way
    return;
  }
  if (form.dataset.quick !== undefined || form.method === "get" || form.target) return;
  form.dataset.sent = "1";
  const button = event.submitter ?? form.querySelector("button[type=submit]");
  // After the browser has collected the form: a disabled button would not send its value.
  if (button) setTimeout(() => setBusy(button, true));
  // A download leaves the page where it is; give the button back.
  if (form.dataset.download !== undefined) setTimeout(() => release(form), 3000);
});

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll(".is-busy")) setBusy(button, false);
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
});

// ---- dialogs and menus ------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog").close();
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, button, input, label, summary") && !getSelection().toString()) {
    location.assign(row.dataset.href);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// ---- forms ----------------------------------------------------------------------------------

document.querySelector("[data-focus]")?.focus();

document.addEventListener("change", (event) => {
  event.target.form?.matches("[data-autosubmit]") && event.target.form.requestSubmit();
});

export function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase().trim();
}

document.addEventListener("input", (event) => {
  const target = event.target.dataset?.filter;
  if (!target) return;
  const words = fold(event.target.value).split(/\s+/);
  for (const entry of document.querySelectorAll(`${target} > *`)) {
    const text = fold(entry.dataset.text ?? entry.textContent);
    entry.hidden = !words.every((word) => text.includes(word));
  }
});

// ---- drafts: what is typed survives a closed window or a lost line ---------------------------------

const NEVER_KEPT = new Set(["csrf_token"]);

function snapshot(form) {
  const values = [];
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && !NEVER_KEPT.has(name)) values.push([name, value]);
  }
  return JSON.stringify(values);
}

function restore(form, text) {
  const wanted = new Map();
  for (const [name, value] of JSON.parse(text)) wanted.set(name, [...(wanted.get(name) ?? []), value]);
  for (const control of form.elements) {
    if (!control.name || NEVER_KEPT.has(control.name) || control.type === "file" || control.type === "password") continue;
    const values = wanted.get(control.name) ?? [];
    if (control.type === "checkbox" || control.type === "radio") control.checked = values.includes(control.value);
    else if (control.type !== "hidden" && values.length) control.value = values.shift();
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

for (const form of document.querySelectorAll("form[data-keep]")) {
  const key = DRAFT_PREFIX + form.dataset.keep;
  const pristine = snapshot(form);
  const kept = localStorage.getItem(key);
  // A page that came back with errors already shows what was typed.
  if (kept && kept !== pristine && !document.querySelector(".error-summary")) {
    restore(form, kept);
    toast(region.dataset.restored);
  }
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => localStorage.setItem(key, snapshot(form)), 500);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    sessionStorage.setItem("diemcau.sent", key);
  });
}
// The next page without errors is the proof that the form arrived.
const sent = sessionStorage.getItem("diemcau.sent");
if (sent && !document.querySelector(".error-summary, .problem")) {
  sessionStorage.removeItem("diemcau.sent");
  if (!document.querySelector(`form[data-keep="${CSS.escape(sent.slice(DRAFT_PREFIX.length))}"]`)) {
    localStorage.removeItem(sent);
  }
}

// ---- connection -----------------------------------------------------------------------------

const offline = document.getElementById("offline");
addEventListener("offline", () => { offline.hidden = false; });
addEventListener("online", () => { offline.hidden = true; });

// ---- HTMX ---------------------------------------------------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = document.querySelector("meta[name=csrf-token]").content;
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const answer = new DOMParser().parseFromString(event.detail.xhr?.responseText ?? "", "text/html");
    toast(answer.querySelector(".alert p")?.textContent || region.dataset.failed, "danger");
  });
}
document.addEventListener("htmx:beforeRequest", (event) => {
  // A region that refreshes itself waits while somebody is inside it with the keyboard.
  const { elt, requestConfig } = event.detail;
  if (!requestConfig?.triggeringEvent && elt.contains(document.activeElement)) event.preventDefault();
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form");
  if (form) release(form);
});

// ---- rows that scroll sideways on a phone show where one is ---------------------------------

for (const current of document.querySelectorAll(".tabs [aria-current], .rail [aria-current]")) {
  current.scrollIntoView({ inline: "center", block: "nearest" });
}
