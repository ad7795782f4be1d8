// A button with data-copy="#id" puts that element's text on the clipboard and says so.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  const text = source.value ?? source.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    const detail = { text: button.dataset.copied, tone: "ok" };
    document.dispatchEvent(new CustomEvent("toast", { detail }));
  } catch {
    getSelection().selectAllChildren(source); // no https: the person presses Ctrl-C
  }
});
