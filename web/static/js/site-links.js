// Join links of the invited sites: copy one, or show its QR code large enough for a phone.

const dialog = document.getElementById("qr-dialog");

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // plain http outside this machine
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone ? undefined : Promise.reject(new Error("not copied"));
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-qr]");
  if (!button) return;
  if (button.dataset.qr) {
    document.getElementById("qr-name").textContent = button.dataset.name;
    document.getElementById("qr-image").src = button.dataset.qr;
    document.getElementById("qr-link").textContent = button.dataset.link;
    dialog.showModal();
    return;
  }
  const words = button.querySelector("span");
  const before = words.textContent;
  try {
    await copy(button.dataset.copy);
    words.textContent = button.dataset.copied;
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: `${button.dataset.copied}: ${button.dataset.copy}`, tone: "ok" } }));
  } catch {
    words.textContent = button.dataset.copy;
  }
  setTimeout(() => { words.textContent = before; }, 2000);
});
