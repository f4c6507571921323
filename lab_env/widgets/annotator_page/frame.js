// What stands around the item: progress, moving about, status, help.

// A button that is really disabled loses the focus, and the next key is Jupyter's.
const forbid = (button, yes) => button.setAttribute("aria-disabled", String(yes));

class Frame {
  constructor(view) {
    this.view = view;
    this.session = view.session;
    const { words } = this.session.setup;
    this.holder = h("div", { class: "an-holder" });
    this.help = this.makeHelp(words);
    this.top = this.makeTop(words);
    this.bottom = this.makeBottom(words);
    this.element = h("div", { class: "an-frame" }, this.top,
      h("div", { class: "an-middle" }, this.holder, this.help), this.bottom);
  }

  hold(body) {
    this.holder.replaceChildren(body);
  }

  button(label, name, act, more = {}) {
    const { setup } = this.session;
    return h("button", { type: "button", onclick: act, ...more }, label, kbd(setup.free(name)));
  }

  makeTop(words) {
    const { session } = this;
    this.bar = h("progress", { max: 1, "aria-label": words.progress });
    this.count = h("span", { class: "an-counts" });
    this.time = h("span", { class: "an-time" });
    this.number = h("input", {
      type: "number", min: 1, "aria-label": words.goto,
      onkeydown: (event) => this.numberKey(event),
    });
    this.total = h("span", {});
    const step = (by) => () => session.goto(session.task.number + by);
    this.back = this.button("‹", "[", step(-1), { "aria-label": words.previous, title: words.previous });
    this.forth = this.button("›", "]", step(1), { "aria-label": words.next, title: words.next });
    const label = session.setup.guideline ? words.guideline : words.keys;
    this.opener = this.button(label, session.setup.free("G") || "?", () => this.toggleHelp(), { "aria-expanded": "false" });
    return h("div", { class: "an-top" }, this.bar,
      h("div", { class: "an-line" }, this.back, this.number, this.total, this.forth,
        this.count, this.time, this.opener));
  }

  makeBottom(words) {
    const { session } = this;
    this.status = h("span", { class: "an-status", role: "status", "data-idle": words.idle });
    this.undo = this.button(words.undo, "U", () => session.undo());
    this.skip = this.button(words.skip, "X", () => session.act("skip"));
    this.submit = this.button(words.submit, "Enter", () => session.submit(), { class: "an-submit" });
    const fast = session.setup.instant ? h("span", { class: "an-fast" }, words.fast) : null;
    return h("div", { class: "an-bottom an-line" }, this.undo, this.skip, fast,
      this.status, this.submit);
  }

  makeHelp(words) {
    const { guideline } = this.session.setup;
    const rows = this.helpRows(words).map(([name, what]) =>
      h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, what)));
    return h("section", {
      class: "an-help", hidden: true, tabindex: "0", "aria-label": guideline ? words.guideline : words.keys,
    },
    this.button(words.close, "Esc", () => this.toggleHelp(), { class: "an-closer" }),
    // Made of Markdown by the kernel, with every tag of the writer's escaped.
    guideline ? h("div", { class: "an-guideline", innerHTML: guideline }) : null,
    h("table", {}, h("caption", {}, words.keys), h("tbody", {}, ...rows)));
  }

  helpRows(words) {
    const kinds = new Set(this.session.setup.controls.map((control) => control.kind));
    return [
      ...words.help,
      ...(kinds.has("Labels") ? [words.helpText] : []),
      ...(kinds.has("RectangleLabels") ? words.helpImage : []),
      ...(kinds.has("Ranker") ? [words.helpRank] : []),
    ];
  }

  askNumber() {
    this.number.focus();
    this.number.select();
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.help.hidden));
    const inside = this.help.contains(document.activeElement);
    if (this.help.hidden && inside) this.view.main().focus({ preventScroll: true });
  }

  numberKey(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    this.session.goto(Number(this.number.value));
    this.view.main().focus({ preventScroll: true });
  }

  update() {
    const { session } = this;
    const { task, progress, setup: { words } } = session;
    this.bar.value = (progress.done + progress.skipped) / progress.total;
    this.bar.title = words.place(task.number, progress.total);
    if (document.activeElement !== this.number) this.number.value = task.number;
    this.number.max = progress.total;
    this.total.textContent = `/ ${progress.total}`;
    this.count.textContent = words.counts(progress.done, progress.skipped);
    const usual = progress.seconds ? clock(progress.seconds) : "";
    this.time.textContent = words.times(clock(session.seconds), usual);
    this.tell(session.status);
    const { locked } = session;
    forbid(this.back, locked || task.number === 1);
    forbid(this.forth, locked || task.number === progress.total);
    for (const button of [this.undo, this.skip, this.submit]) forbid(button, locked);
  }

  // Said again only when it changed: a screen reader reads every change aloud.
  tell({ kind, text }) {
    this.status.dataset.kind = kind;
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}
