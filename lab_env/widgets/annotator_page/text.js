// A text on which spans are marked, by mouse and by keyboard.

const DIRECTIONS = {
  ArrowLeft: ["backward", "character"], ArrowRight: ["forward", "character"],
  ArrowUp: ["backward", "line"], ArrowDown: ["forward", "line"],
  Home: ["backward", "lineboundary"], End: ["forward", "lineboundary"],
};

class TextToMark {
  constructor(session, shown, controls) {
    Object.assign(this, { session, shown, controls });
    this.text = String(session.task.data[shown.field] ?? "");
    this.units = unitAt(this.text);
    this.box = h("div", {
      class: "an-text", tabindex: "0", role: "textbox", "data-main": "",
      "aria-readonly": "true", "aria-multiline": "true",
      "aria-label": session.setup.words.text,
      onpointerdown: () => addEventListener("pointerup", () => this.released(), { once: true }),
      onclick: (event) => this.clicked(event),
      onfocus: () => this.showCaret(),
      onblur: () => (this.caret.hidden = true),
      onscroll: () => this.drawCaret(),
    });
    this.caret = h("span", { class: "an-caret", hidden: true });
    this.element = h("div", { class: "an-textframe" }, this.box, this.caret);
  }

  update() {
    const state = JSON.stringify([this.session.chosen, this.regions()]);
    // Drawn again for nothing, the text would lose what is selected in it.
    if (state === this.drawn) return;
    this.drawn = state;
    const caret = this.caretUnit();
    this.box.replaceChildren(...this.pieces());
    if (caret !== null) this.putCaret(caret);
  }

  // ---- drawing

  // Spans may overlap, so the text is cut wherever one begins or ends.
  pieces() {
    const spans = this.spans();
    const cuts = new Set([0, this.text.length, ...spans.flatMap((s) => [s.from, s.to])]);
    const places = [...cuts].sort((a, b) => a - b);
    return places.slice(1).map((to, at) => this.piece(places[at], to, spans));
  }

  regions() {
    return this.controls.flatMap((control) => regionsOf(this.session.result, control));
  }

  spans() {
    return this.controls.flatMap((control) =>
      regionsOf(this.session.result, control).map((region) => ({
        region,
        option: optionOf(control, region),
        name: namesOf(control, region),
        from: this.units[region.value.start],
        to: this.units[region.value.end],
      })));
  }

  piece(from, to, spans) {
    const over = spans.filter((span) => span.from < to && span.to > from);
    const part = this.text.slice(from, to);
    if (!over.length) return document.createTextNode(part);
    // The shortest lies on top, or nobody could see or choose it.
    const [top] = over.sort((a, b) => a.to - a.from - (b.to - b.from));
    const ending = over.filter((span) => span.to === to);
    const names = ending.map((span) => span.name).join(" · ");
    return h("mark", {
      class: over.some((s) => s.region.id === this.session.chosen) ? "an-chosen" : null,
      style: top.option?.style, "data-region": top.region.id, "data-label": names || null,
    }, part);
  }

  // ---- the selection

  // What is selected inside the text, in UTF-16 units without outer white space.
  selected() {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0);
    if (!range.intersectsNode(this.box)) return null;
    return this.trimmed(this.unitOf(range, "start"), this.unitOf(range, "end"));
  }

  unitOf(range, side) {
    const before = document.createRange();
    before.selectNodeContents(this.box);
    const [node, offset] = [range[`${side}Container`], range[`${side}Offset`]];
    if (!this.box.contains(node)) return side === "start" ? 0 : this.text.length;
    before.setEnd(node, offset);
    return before.toString().length;
  }

  trimmed(from, to) {
    if (this.shown.words) [from, to] = this.wholeWords(from, to);
    const part = this.text.slice(from, to);
    from += part.length - part.trimStart().length;
    to -= part.length - part.trimEnd().length;
    return from < to ? { from, to } : null;
  }

  wholeWords(from, to) {
    const words = new Intl.Segmenter(undefined, { granularity: "word" }).segment(this.text);
    const last = words.containing(to - 1);
    return [words.containing(from).index, last.index + last.segment.length];
  }

  // Returns whether there was something to mark.
  mark(control, option) {
    const found = this.controls.includes(control) && this.selected();
    if (!found) return false;
    const value = this.valueOf(found, option);
    const made = region(control, this.shown.name, value);
    getSelection().collapse(this.box, 0);
    this.putCaret(found.to);
    if (!this.isThere(control, value)) {
      this.session.chosen = null;
      this.session.edit([...this.session.result, made]);
    }
    return true;
  }

  valueOf({ from, to }, option) {
    const start = pointsIn(this.text.slice(0, from));
    const text = this.text.slice(from, to);
    return { start, end: start + pointsIn(text), text, labels: [option.code] };
  }

  isThere(control, { start, end, labels: [code] }) {
    return regionsOf(this.session.result, control).some(({ value }) =>
      value.start === start && value.end === end && value.labels.includes(code));
  }

  // ---- mouse

  released() {
    const found = this.selected();
    if (!found) return;
    const { label, setup } = this.session;
    if (label && this.mark(label.control, label.option)) return;
    this.session.say("quiet", setup.words.pickLabel);
  }

  clicked(event) {
    if (getSelection().isCollapsed) {
      this.session.choose(event.target.dataset.region ?? null);
    }
    this.showCaret();
  }

  // ---- keyboard

  key(event) {
    const [direction, step] = DIRECTIONS[event.key] ?? [];
    if (!direction || document.activeElement !== this.box) return false;
    const selection = getSelection();
    if (this.caretUnit() === null) this.putCaret(0);
    const far = event.ctrlKey || event.metaKey;
    const by = far && step === "character" ? "word" : step;
    selection.modify(event.shiftKey ? "extend" : "move", direction, by);
    if (!this.box.contains(selection.focusNode)) {
      this.putCaret(direction === "backward" ? 0 : this.text.length);
    }
    this.showCaret();
    if (this.selected()) this.session.say("quiet", this.session.setup.words.pickLabel);
    return true;
  }

  caretUnit() {
    const { focusNode, focusOffset } = getSelection();
    if (!focusNode || !this.box.contains(focusNode)) return null;
    const before = document.createRange();
    before.selectNodeContents(this.box);
    before.setEnd(focusNode, focusOffset);
    return before.toString().length;
  }

  putCaret(unit) {
    const texts = document.createTreeWalker(this.box, NodeFilter.SHOW_TEXT);
    let left = unit;
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      if (left <= node.length) return getSelection().collapse(node, left);
      left -= node.length;
    }
  }

  // Browsers draw no caret in a text that cannot be typed in.
  showCaret() {
    if (document.activeElement !== this.box) return;
    if (this.caretUnit() === null) this.putCaret(0);
    const place = this.caretPlace();
    const frame = this.box.getBoundingClientRect();
    if (place?.top < frame.top) this.box.scrollTop -= frame.top - place.top + place.height;
    if (place?.bottom > frame.bottom) {
      this.box.scrollTop += place.bottom - frame.bottom + place.height;
    }
    this.drawCaret();
  }

  caretPlace() {
    const { focusNode, focusOffset } = getSelection();
    const at = document.createRange();
    at.setStart(focusNode, focusOffset);
    return at.getClientRects()[0];
  }

  drawCaret() {
    const place = this.caretUnit() !== null && this.caretPlace();
    const frame = this.element.getBoundingClientRect();
    const seen = place && place.top >= frame.top && place.bottom <= frame.bottom;
    this.caret.hidden = !seen || document.activeElement !== this.box;
    if (!seen) return;
    this.caret.style.left = `${place.left - frame.left}px`;
    this.caret.style.top = `${place.top - frame.top}px`;
    this.caret.style.height = `${place.height}px`;
  }
}
