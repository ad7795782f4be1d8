// Attendance and minutes: the mark dialog, saving while typing.

// ---- attendance: a live table that keeps its filter, a dialog that closes when it is stored -------

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "sheet") {
    document.getElementById("sheet-filter")?.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (event.target.id === "mark-form") event.target.querySelector("select, input:not([type=hidden])")?.focus();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422) { // a form with errors comes back with what was typed
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.body.addEventListener("sheet-changed", () => document.getElementById("mark-dialog")?.close());
document.addEventListener("click", (event) => {
  if (event.target.closest("a[data-dialog]")) event.preventDefault(); // without scripts it is a link
});

// ---- minutes: saved at most five seconds after the last key, together with the other editor's text ----

const minutes = document.getElementById("minutes-form");
if (minutes) {
  const SAVE_AFTER_MS = 2500; // of quiet
  const SAVE_WITHIN_MS = 4500; // however long somebody goes on typing
  const LOOK_EVERY_MS = 4000; // for what the other has written
  const PARTS = ["number", "course", "conclusion"];
  const fields = minutes.elements;
  const state = document.getElementById("minutes-state");
  const other = document.getElementById("minutes-other");
  let timer = 0;
  let isSaving = false;
  let isDirty = false;
  let dirtySince = 0;

  const say = (name) => { state.textContent = state.dataset[name]; };
  const tell = (text) => { other.textContent = text; other.hidden = !text; };
  const read = () => Object.fromEntries(PARTS.map((part) => [part, fields[part].value]));

  // New text under the caret of somebody who is writing: the caret stays at its words.
  function replace(field, text) {
    if (field.value === text) return;
    const { selectionStart: start, selectionEnd: end, scrollTop: top, value: before } = field;
    let same = 0;
    while (same < before.length && before[same] === text[same]) same += 1;
    const shift = text.length - before.length;
    const moved = (place) => (place <= same ? place : Math.max(same, place + shift));
    field.value = text;
    if (document.activeElement === field) field.setSelectionRange(moved(start), moved(end));
    field.scrollTop = top;
  }

  function settle(sent, saved) {
    fields.version.value = saved.version;
    for (const part of PARTS) {
      const isUntouched = fields[part].value === sent[part];
      if (isUntouched) replace(fields[part], saved[part]);
      // who typed on while it was saved goes on from what was sent; the next save joins the rest
      fields[`base_${part}`].value = isUntouched ? saved[part] : sent[part];
    }
  }

  async function save() {
    clearTimeout(timer);
    if (isSaving) return;
    isSaving = true;
    isDirty = false;
    say("saving");
    const sent = read();
    try {
      const answer = await fetch(minutes.dataset.save, {
        method: "POST",
        body: new FormData(minutes),
        headers: { Accept: "application/json" },
      });
      const saved = await answer.json();
      if (answer.ok) {
        settle(sent, saved);
        state.textContent = saved.said;
        if (saved.merged_from) tell(saved.said);
      } else {
        state.textContent = saved.error?.message ?? state.dataset.failed;
        isDirty = true;
      }
    } catch {
      say("failed"); // what is typed stays here and on this machine; tried again
      isDirty = true;
    }
    isSaving = false;
    if (isDirty) timer = setTimeout(save, SAVE_AFTER_MS);
  }

  async function look() {
    if (isSaving || isDirty || document.hidden) return;
    const sent = read();
    try {
      const answer = await fetch(`${minutes.dataset.current}?version=${fields.version.value}`);
      if (answer.status !== 200 || isSaving || isDirty) return;
      const now = await answer.json();
      settle(sent, now);
      tell(now.said);
    } catch { /* the line is away; saving will say so */ }
  }
  setInterval(look, LOOK_EVERY_MS);

  function typed() {
    if (!isDirty) dirtySince = performance.now();
    isDirty = true;
    say("typing");
    clearTimeout(timer);
    const left = dirtySince + SAVE_WITHIN_MS - performance.now();
    timer = setTimeout(save, Math.max(0, Math.min(SAVE_AFTER_MS, left)));
  }
  minutes.addEventListener("input", typed);
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-insert]");
    if (!chosen) return;
    const field = fields.course;
    const place = field.selectionEnd ?? field.value.length;
    const gap = place > 0 && field.value[place - 1] !== "\n" ? "\n\n" : "";
    field.setRangeText(`${gap}${chosen.dataset.insert}`, place, place, "end");
    field.focus();
    typed();
  });
  addEventListener("beforeunload", (event) => { if (isDirty || isSaving) event.preventDefault(); });
}
