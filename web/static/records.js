// Attendance, recordings and minutes: the mark dialog, chapters of the player, saving while typing.

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

// ---- recordings: chapters, J and L, an address that names a moment ----------------------------------

function seek(video, seconds) {
  const go = () => { video.currentTime = seconds; video.play().catch(() => {}); };
  if (video.readyState >= 1) go();
  else video.addEventListener("loadedmetadata", go, { once: true });
}

document.addEventListener("click", (event) => {
  const chapter = event.target.closest("[data-seek]");
  if (!chapter) return;
  event.preventDefault();
  seek(document.getElementById(chapter.dataset.video), Number(chapter.dataset.seek));
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select")) return;
  const video = document.querySelector(".player video");
  const step = { j: -10, l: 10 }[event.key.toLowerCase()];
  if (video && step) video.currentTime = Math.max(0, video.currentTime + step);
});
const moment = Number(new URLSearchParams(location.search).get("t"));
const first = document.querySelector(".player video");
if (first && moment > 0) first.addEventListener("loadedmetadata", () => { first.currentTime = moment; }, { once: true });

// ---- minutes: saved at most five seconds after the last key --------------------------------------------

const minutes = document.getElementById("minutes-form");
if (minutes) {
  const SAVE_AFTER_MS = 2500; // of quiet
  const SAVE_WITHIN_MS = 4500; // however long somebody goes on typing
  const state = document.getElementById("minutes-state");
  const clash = document.getElementById("minutes-clash");
  let timer = 0;
  let isSaving = false;
  let isDirty = false;
  let dirtySince = 0;

  const say = (name) => { state.textContent = state.dataset[name]; };

  async function save() {
    clearTimeout(timer);
    if (isSaving || !clash.hidden) return;
    isSaving = true;
    isDirty = false;
    say("saving");
    try {
      const answer = await fetch(minutes.dataset.save, {
        method: "POST",
        body: new FormData(minutes),
        headers: { Accept: "application/json" },
      });
      const saved = await answer.json();
      if (answer.ok) {
        minutes.elements.version.value = saved.version;
        state.textContent = saved.said;
      } else if (answer.status === 409) {
        showClash(saved);
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

  function showClash(saved) {
    document.getElementById("minutes-clash-text").textContent = saved.said;
    document.getElementById("clash-course").value = saved.course;
    document.getElementById("clash-conclusion").value = saved.conclusion;
    clash.dataset.version = saved.version;
    clash.hidden = false;
    clash.focus();
    say("clash");
  }

  clash.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-clash]")?.dataset.clash;
    if (!choice) return;
    if (choice === "theirs") {
      minutes.elements.course.value = document.getElementById("clash-course").value;
      minutes.elements.conclusion.value = document.getElementById("clash-conclusion").value;
    }
    minutes.elements.version.value = clash.dataset.version;
    clash.hidden = true;
    minutes.elements.course.focus();
    save();
  });
  minutes.addEventListener("input", () => {
    if (!isDirty) dirtySince = performance.now();
    isDirty = true;
    say("typing");
    clearTimeout(timer);
    const left = dirtySince + SAVE_WITHIN_MS - performance.now();
    timer = setTimeout(save, Math.max(0, Math.min(SAVE_AFTER_MS, left)));
  });
  addEventListener("beforeunload", (event) => { if (isDirty || isSaving) event.preventDefault(); });
}

document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
