// Uploading a paper: what is too large is refused before a byte leaves; a bar shows the rest.

const form = document.getElementById("upload");
const file = document.getElementById("file");
const error = document.getElementById("file-error");
const panel = document.getElementById("upload-progress");
const bar = panel.querySelector("progress");
const words = panel.querySelector("span");
const button = form.querySelector("button[type=submit]");

function refuse(sentence) {
  error.querySelector("span").textContent = sentence;
  error.hidden = sentence === "";
  file.closest(".field").classList.toggle("has-error", sentence !== "");
}

const isTooLarge = () => (file.files[0]?.size ?? 0) > Number(form.dataset.maxBytes);

file.addEventListener("change", () => {
  refuse(isTooLarge() ? form.dataset.tooLarge : "");
  if (file.files[0]) document.getElementById("file-name").textContent = file.files[0].name;
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (isTooLarge()) {
    refuse(form.dataset.tooLarge);
    file.focus();
    return;
  }
  const request = new XMLHttpRequest();
  const done = (sentence = "") => {
    panel.hidden = true;
    button.disabled = false;
    refuse(sentence);
  };
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = (100 * loaded) / total;
    words.textContent = `${form.dataset.sending}: ${Math.round(bar.value)} %`;
  });
  request.addEventListener("load", () => {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { /* a page, not a document */ }
    if (request.status === 201) location.assign(answer.href);
    else done(answer.error?.message || form.dataset.failed);
  });
  request.addEventListener("error", () => done(form.dataset.failed));
  request.addEventListener("abort", () => done());
  panel.querySelector("button").onclick = () => request.abort();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.send(new FormData(form));
  panel.hidden = false;
  button.disabled = true;
  refuse("");
});
