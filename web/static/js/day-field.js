// Days are typed as 10/12/2026, whatever order the system's own date control has, or picked from the
// browser's calendar. The form around them names the button (data-calendar) and the icons.

for (const field of document.querySelectorAll("[data-day]")) {
  const { calendar, icons } = field.closest("[data-calendar]").dataset;
  const picker = document.createElement("input");
  picker.type = "date";
  picker.tabIndex = -1;
  picker.setAttribute("aria-hidden", "true");
  picker.className = "day-picker";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "day-button";
  button.setAttribute("aria-label", calendar);
  button.innerHTML = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href="${icons}#calendar"></use></svg>`;
  button.addEventListener("click", () => {
    const [, day, month, year] = /^(\d{1,2})\D(\d{1,2})\D(\d{4})$/.exec(field.value.trim()) ?? [];
    picker.value = year ? `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}` : "";
    picker.showPicker();
  });
  picker.addEventListener("change", () => {
    if (picker.value) field.value = picker.value.split("-").reverse().join("/");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  const frame = document.createElement("span");
  frame.className = "day-frame";
  field.replaceWith(frame);
  frame.append(field, picker, button);
}
