// The board of line checks follows by itself: every two seconds it asks what is newer, and lines
// are exchanged where they stand, so that nothing moves under the reader.

const POLL_MS = 2000;
const board = document.getElementById("board");

function exchange(id, markup) {
  const old = document.getElementById(`line-${id}`);
  if (!old) return null; // filtered out
  const holder = document.createElement("template");
  holder.innerHTML = markup.trim();
  const fresh = holder.content.firstElementChild;
  const focused = [...old.querySelectorAll("a, button")].indexOf(document.activeElement);
  old.replaceWith(fresh);
  if (focused >= 0) {
    const places = [...fresh.querySelectorAll("a, button")];
    (places[Math.min(focused, places.length - 1)] ?? fresh).focus();
  }
  fresh.classList.add("is-new");
  return fresh.querySelector(".row-title")?.textContent ?? "";
}

function keepFilter(counts) {
  const current = [...counts.querySelectorAll(".chip")].findIndex((one) => one.hasAttribute("aria-current"));
  return () => {
    for (const [index, chip] of [...counts.querySelectorAll(".chip")].entries()) {
      chip.toggleAttribute("aria-current", false);
      if (index === current) chip.setAttribute("aria-current", "true");
    }
  };
}

async function poll() {
  if (document.hidden) return;
  const url = new URL(board.dataset.changes, location.href);
  url.searchParams.set("sau", board.dataset.newest);
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (answer.status !== 200) return;
  const news = await answer.json();
  board.dataset.newest = news.newest;
  const counts = document.getElementById("board-counts");
  const restore = keepFilter(counts);
  counts.innerHTML = news.counts;
  restore();
  document.getElementById("board-summary").textContent = news.summary;
  const names = Object.entries(news.rows).map(([id, markup]) => exchange(id, markup));
  document.getElementById("board-told").textContent = `${board.dataset.told} ${names.filter(Boolean).join(", ")}`;
}

function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const two = (figure) => String(figure).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function countDown() {
  const place = board.querySelector("[data-countdown]");
  if (place) place.textContent = clock((new Date(place.dataset.countdown) - Date.now()) / 1000);
}

if (board) {
  setInterval(() => poll().catch(() => undefined), POLL_MS); // the next one tries again
  setInterval(countDown, 1000);
  document.getElementById("board-print")?.addEventListener("click", () => window.print());
}
