// The player of a recording: chapters, speakers, lanes, keys, an address that names a moment.

function seek(video, seconds) {
  const go = () => { video.currentTime = seconds; video.play().catch(() => {}); };
  if (video.readyState >= 1) go();
  else video.addEventListener("loadedmetadata", go, { once: true });
}

document.addEventListener("click", (event) => {
  const mark = event.target.closest("[data-seek]");
  if (!mark) return;
  event.preventDefault();
  seek(document.getElementById(mark.dataset.video), Number(mark.dataset.seek));
});

// ---- where it plays: in the lists and on the lanes ---------------------------------------------------

function showPlace(video) {
  const now = video.currentTime + 0.05;
  for (const list of video.closest(".player").querySelectorAll(".chapters")) {
    const marks = [...list.querySelectorAll("[data-seek]")];
    const current = marks.findLast((mark) => Number(mark.dataset.seek) <= now);
    for (const mark of marks) {
      if (mark === current) mark.setAttribute("aria-current", "true");
      else mark.removeAttribute("aria-current");
    }
  }
  const lanes = document.querySelector(`[data-lanes="${video.id}"]`);
  const line = lanes?.querySelector(".lane-now");
  if (!line) return;
  const x = 200 + (800 * video.currentTime) / Number(lanes.dataset.length);
  line.setAttribute("x1", x);
  line.setAttribute("x2", x);
}
document.addEventListener("timeupdate", (event) => showPlace(event.target), true);
document.addEventListener("seeked", (event) => showPlace(event.target), true);

// ---- keys ---------------------------------------------------------------------------------------------

function nextSpeech(video, step) {
  const starts = [...video.closest(".player").querySelectorAll("[data-speech]")].map((one) => Number(one.dataset.seek));
  const now = video.currentTime;
  return step > 0 ? starts.find((at) => at > now + 0.5) : starts.findLast((at) => at < now - 1.5);
}

function toggleCaptions(video) {
  const track = [...video.textTracks].find((one) => one.kind === "captions");
  if (track) track.mode = track.mode === "showing" ? "hidden" : "showing";
}

const KEYS = {
  j: (video) => { video.currentTime = Math.max(0, video.currentTime - 10); },
  l: (video) => { video.currentTime = Math.min(video.duration || Infinity, video.currentTime + 10); },
  c: toggleCaptions,
  " ": (video) => { if (video.paused) video.play().catch(() => {}); else video.pause(); },
  arrowdown: (video) => { const at = nextSpeech(video, 1); if (at !== undefined) seek(video, at); },
  arrowup: (video) => { const at = nextSpeech(video, -1); if (at !== undefined) seek(video, at); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const video = document.querySelector(".player video");
  const act = KEYS[event.key.toLowerCase()];
  if (!video || !act || event.target.closest("input, textarea, select, video")) return;
  if (event.key === " " && event.target.closest("button, a, summary")) return;
  event.preventDefault();
  act(video);
});

// ---- finding a speaker, with or without marks -----------------------------------------------------------

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();

document.addEventListener("input", (event) => {
  const id = event.target.dataset?.find;
  if (!id) return;
  const words = fold(event.target.value).split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of document.querySelectorAll(`#${id} li`)) {
    row.hidden = !words.every((word) => fold(row.textContent).includes(word));
    if (!row.hidden) count += 1;
  }
  document.querySelector(`[data-nothing="${id}"]`).hidden = count > 0;
});

const moment = Number(new URLSearchParams(location.search).get("t"));
const first = document.querySelector(".player video");
if (first && moment > 0) {
  const go = () => { first.currentTime = moment; };
  if (first.readyState >= 1) go();
  else first.addEventListener("loadedmetadata", go, { once: true });
}
