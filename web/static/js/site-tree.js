// The tree from which sites are chosen: groups tick their members (and show a dash when some are
// ticked), searching folds Vietnamese as the server does, arrows move, Space ticks. The server
// sends plain checkboxes, so the form works without this file, only less quickly.

function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").replace(/['’‘ʼ`´]/g, "").toLowerCase().trim();
}

export class SiteTree {
  constructor(frame, onChange) {
    this.frame = frame;
    this.onChange = onChange;
    frame.addEventListener("change", (event) => this.#changed(event.target));
    frame.addEventListener("click", (event) => this.#clicked(event));
    frame.addEventListener("input", (event) => {
      if (event.target.id === "tree-search") this.#search(event.target.value);
    });
    frame.addEventListener("keydown", (event) => this.#key(event));
    this.refresh();
  }

  /** All site checkboxes, in protocol order. */
  get leaves() {
    return [...this.frame.querySelectorAll("input[name=sites]")];
  }

  get chosen() {
    return this.leaves.filter((box) => box.checked);
  }

  untick(value) {
    for (const box of this.leaves) if (box.value === value) box.checked = false;
    this.#told();
  }

  /** Bring groups, counters and quick buttons into line with the leaves. */
  refresh() {
    for (const group of this.frame.querySelectorAll(".tree-group")) {
      const boxes = [...group.querySelectorAll("input[name=sites]")];
      const ticked = boxes.filter((box) => box.checked).length;
      const own = group.querySelector(":scope > .tree-row [data-group-box]");
      own.checked = ticked > 0 && ticked === boxes.length;
      own.indeterminate = ticked > 0 && ticked < boxes.length;
      group.querySelector(":scope > .tree-row [data-count]").textContent = ticked;
      const quick = this.frame.querySelector(`[data-all="${group.dataset.group}"]`);
      quick?.setAttribute("aria-pressed", String(own.checked));
    }
    this.onChange(this.chosen);
  }

  #told() {
    this.refresh();
    this.frame.dispatchEvent(new Event("input", { bubbles: true })); // so that the draft is kept
  }

  #changed(box) {
    if (box.matches("[data-group-box]")) this.#tickAll(box.closest(".tree-group"), box.checked);
    else if (box.name === "sites") this.#told();
  }

  #tickAll(group, isOn) {
    for (const box of group.querySelectorAll("input[name=sites]")) {
      if (!box.closest(".tree-leaf").hidden) box.checked = isOn; // a search narrows what is meant
    }
    this.#told();
  }

  #clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches(".tree-toggle")) this.#open(button.closest(".tree-group"), button.getAttribute("aria-expanded") !== "true");
    if (button.dataset.all) {
      const group = this.frame.querySelector(`[data-group="${button.dataset.all}"]`);
      for (const box of group.querySelectorAll("input[name=sites]")) box.checked = button.getAttribute("aria-pressed") !== "true";
      this.#told();
    }
    if (button.dataset.clear !== undefined) {
      for (const box of this.leaves) box.checked = false;
      this.#told();
    }
  }

  #open(group, isOpen) {
    group.querySelector(":scope > .tree-row .tree-toggle").setAttribute("aria-expanded", String(isOpen));
    group.querySelector(":scope > ul").hidden = !isOpen;
  }

  #search(query) {
    const words = fold(query).split(/\s+/).filter(Boolean);
    for (const leaf of this.frame.querySelectorAll(".tree-leaf")) {
      leaf.hidden = !words.every((word) => leaf.dataset.folded.includes(word));
    }
    let found = 0;
    for (const group of [...this.frame.querySelectorAll(".tree-group")].reverse()) {
      const shown = group.querySelectorAll(".tree-leaf:not([hidden])").length;
      group.hidden = shown === 0;
      if (words.length) this.#open(group, shown > 0);
      if (!group.parentElement.closest(".tree-group")) found += shown;
    }
    this.frame.querySelector("#tree-none").hidden = found > 0;
  }

  /** Arrows move between visible ticks; right and left open and close a group. */
  #key(event) {
    const box = event.target;
    if (!box.matches("input[type=checkbox]")) {
      if (box.id === "tree-search") {
        if (event.key === "Enter") event.preventDefault(); // must not send the form
        if (event.key === "ArrowDown") this.#focus(this.#visible()[0], event);
      }
      return;
    }
    const visible = this.#visible();
    const place = visible.indexOf(box);
    const group = box.matches("[data-group-box]") ? box.closest(".tree-group") : null;
    const moves = {
      ArrowDown: () => this.#focus(visible[place + 1], event),
      ArrowUp: () => this.#focus(visible[place - 1] ?? this.frame.querySelector("#tree-search"), event),
      Home: () => this.#focus(visible[0], event),
      End: () => this.#focus(visible.at(-1), event),
      ArrowRight: () => group && (this.#open(group, true), event.preventDefault()),
      ArrowLeft: () => {
        if (group) this.#open(group, false);
        else this.#focus(box.closest(".tree-group").querySelector("[data-group-box]"), event);
      },
    };
    moves[event.key]?.();
  }

  #visible() {
    return [...this.frame.querySelectorAll("#tree-root input[type=checkbox]")].filter((box) => box.offsetParent !== null);
  }

  #focus(box, event) {
    if (!box) return;
    event.preventDefault();
    box.focus();
  }
}
