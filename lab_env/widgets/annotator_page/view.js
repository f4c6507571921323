// One view of a session: frame, keys, focus. Several may show the same session.

class View {
  constructor(session, place) {
    Object.assign(this, { session, place });
    this.parts = [];
    this.root = h("div", {
      class: "annotator", tabindex: "-1", role: "group",
      onkeydown: (event) => this.pressed(event),
      // A click beside everything else: the keys go on where they were.
      onfocus: () => this.body && this.focus(),
      onclick: (event) => this.afterClick(event),
    });
    this.root.textContent = "正在载入…… Loading…";
    this.root.addEventListener("pointerdown", () => (this.walking = false));
    place.append(this.root);
    session.join(this);
    if (session.setup) this.draw("task");
  }

  close() {
    this.session.leave(this);
  }

  // ---- drawing

  draw(what) {
    if (!this.session.task) return;
    const focused = this.root.contains(document.activeElement);
    const name = focused && document.activeElement.dataset.focus;
    if (what === "task" || !this.body) this.build();
    if (what === "task" || what === "answer") this.parts.forEach((part) => part.update());
    this.drawFrame();
    // Without this the focus falls to the page, and the next key is Jupyter's.
    if (focused && what === "task") this.focus();
    else if (focused && !this.root.contains(document.activeElement)) this.focus(name);
  }

  build() {
    const { words, language } = this.session.setup;
    this.root.lang = language === "zh" ? "zh-CN" : "en";
    this.parts = [];
    const name = words.region(this.session.task.number);
    this.root.setAttribute("aria-label", name);
    this.body = h("div", { class: "an-body", tabindex: "-1", role: "group", "aria-label": name },
      ...this.piecesOf(this.session.setup.labelling));
    if (!this.frame) this.frame = new Frame(this);
    this.frame.hold(this.body);
    this.root.replaceChildren(this.frame.element);
  }

  piecesOf(view) {
    return view.children.map((piece) => this.elementOf(piece)).filter(Boolean);
  }

  elementOf(piece) {
    if (piece.kind === "View") {
      const inside = h("div", { class: piece.inline ? "an-inline" : null });
      inside.style.cssText = piece.style;
      inside.append(...this.piecesOf(piece));
      return inside;
    }
    if (piece.kind === "Header") return this.header(piece);
    return isControl(piece) ? this.control(piece) : this.shown(piece);
  }

  header({ value, size }) {
    const text = filled(value, this.session.task.data);
    return h("p", { class: `an-header an-size${size}`, role: "heading", "aria-level": size }, text);
  }

  control(control) {
    const pick = (...what) => this.pick(...what);
    const { session } = this;
    if (control.kind === "Choices") return this.add(new ChoicesBox(session, control, pick));
    if (isMarking(control)) return this.add(new LabelsBar(session, control, pick));
    if (control.kind === "TextArea") return this.add(new Note(session, control));
    if (control.kind === "Ranker") {
      const list = session.setup.pieces.find((piece) => piece.name === control.to[0]);
      return this.add(new RankedList(session, control, list));
    }
    return null;
  }

  // What is shown; a list stands where its ranker is, a pair where its first one is.
  shown(shown) {
    const { session } = this;
    const about = session.setup.controls.filter((c) => c.to.includes(shown.name));
    const pair = about.find((control) => control.kind === "Pairwise");
    if (pair) return pair.to[0] === shown.name ? this.pair(pair) : null;
    if (shown.kind === "List") return null;
    return this.plain(shown, about.filter(isMarking));
  }

  pair(control) {
    const { session } = this;
    const contents = control.to.map((name) =>
      this.plain(session.setup.pieces.find((piece) => piece.name === name), []));
    return this.add(new PairOfCards(session, control, (...what) => this.pick(...what), contents));
  }

  plain(shown, marking) {
    const { session } = this;
    if (shown.kind === "Image") return this.withMarks(new Picture(session, shown, marking), shown);
    if (marking.length) return this.withMarks(new TextToMark(session, shown, marking), shown);
    return h("div", { class: "an-plain" }, String(session.task.data[shown.field]));
  }

  withMarks(part, shown) {
    const element = this.add(part);
    if (!part.controls.length) return element;
    const list = this.add(new MarkedList(this.session, part.controls, shown));
    return h("div", { class: "an-marking" }, element, list);
  }

  add(part) {
    this.parts.push(part);
    return part.element;
  }

  drawFrame() {
    this.frame.update();
    this.root.classList.toggle("an-locked", this.session.locked);
    this.root.dataset.state = this.session.status.kind;
  }

  // ---- focus

  focus(name) {
    const named = name && this.root.querySelector(`[data-focus="${CSS.escape(name)}"]`);
    (named || this.main()).focus({ preventScroll: true });
  }

  // Where the keys of an item go first.
  main() {
    const { controls } = this.session.setup;
    const writing = controls.every((control) => control.kind === "TextArea");
    return this.body.querySelector(writing ? "textarea" : "[data-main]") ?? this.body;
  }

  // After a click on a button, Enter means "submit" again and not "that button".
  afterClick(event) {
    const button = event.target.closest("button");
    if (button && event.detail && !button.dataset.focus) this.focus();
  }

  // ---- answering

  pick(control, option) {
    const { session } = this;
    if (session.locked) return;
    if (isMarking(control)) this.pickLabel(control, option);
    else if (control.kind === "Pairwise") this.give(control, { selected: option.code });
    else this.pickChoice(control, option);
    // Arrow keys walk through radio buttons and choose each: that submits nothing.
    if (session.setup.instant === control && !this.walking) session.submit();
  }

  give(control, value) {
    this.session.edit(answered(this.session.result, control, value));
  }

  pickChoice(control, option) {
    const before = valueOf(this.session.result, control)?.choices ?? [];
    const choices = toggled(before, option.code, control);
    this.give(control, choices.length ? { choices } : null);
  }

  // What is selected gets the label; else the label waits for the next marks, until
  // another is picked or Escape is pressed: a second click must not take it away.
  pickLabel(control, option) {
    const { session } = this;
    const marked = this.parts.some((part) => part.mark?.(control, option));
    if (marked) return;
    const chosen = session.result.find((region) => region.id === session.chosen);
    if (chosen && chosen.to_name === control.to[0]) {
      session.edit(relabelled(session.result, chosen.id, control, option.code));
      return;
    }
    session.label = { control, option };
    session.redraw("answer");
  }

  // ---- keys

  pressed(event) {
    this.walking = event.key.startsWith("Arrow");
    const combined = (event.ctrlKey || event.metaKey) && !isThirdLevel(event);
    const composing = event.isComposing || event.keyCode === 229;
    const used = !composing && (combined ? this.combination(event) : this.plainKey(event));
    if (used) event.preventDefault();
    // Jupyter would cut the cell on "x" and restart the kernel on "0 0"; but Ctrl+S
    // and the like are Jupyter's, and stay so.
    if (used || !combined) event.stopPropagation();
  }

  combination(event) {
    const { session } = this;
    const typing = isField(event.target);
    if (event.key === "Enter") session.submit();
    else if (event.key.toLowerCase() === "z" && !typing && !event.shiftKey) session.undo();
    else return !typing && this.parts.some((part) => part instanceof TextToMark && part.key(event));
    return true;
  }

  plainKey(event) {
    if ((event.altKey && !isThirdLevel(event)) || event.key === "Tab") return false;
    if (isField(event.target)) return this.fieldKey(event);
    if (event.target.closest("button") && [" ", "Enter"].includes(event.key)) return false;
    const inList = event.target.closest(".an-row");
    if (!inList && this.optionKey(event)) return true;
    if (this.parts.some((part) => part.key?.(event))) return true;
    return (inList && this.optionKey(event)) || this.commandKey(event);
  }

  fieldKey(event) {
    if (event.key !== "Escape") return false;
    this.body.focus({ preventScroll: true });
    return true;
  }

  optionKey(event) {
    const name = event.key.toLowerCase();
    for (const control of this.session.setup.controls) {
      const option = control.options.find((each) => each.hotkey === name);
      if (!option) continue;
      if (!event.repeat) this.pick(control, option);
      return true;
    }
    return false;
  }

  commandKey(event) {
    const { key } = event;
    const command = this.commands[key.length === 1 ? key.toLowerCase() : key];
    if (!command) return false;
    // A held key would submit item after item unread.
    if (!event.repeat) command();
    return true;
  }

  get commands() {
    const { session, frame } = this;
    const { number } = session.task;
    const remove = () => session.chosen &&
      session.edit(without(session.result, session.chosen));
    return {
      Enter: () => session.submit(),
      u: () => session.undo(),
      x: () => session.act("skip"),
      "[": () => session.goto(number - 1),
      "]": () => session.goto(number + 1),
      j: () => frame.askNumber(),
      g: () => frame.toggleHelp(),
      "?": () => frame.toggleHelp(),
      "？": () => frame.toggleHelp(),
      Delete: remove,
      Backspace: remove,
      Escape: () => this.escape(),
    };
  }

  escape() {
    const { session, frame } = this;
    if (!frame.help.hidden) return frame.toggleHelp();
    session.label = null;
    session.choose(null);
  }
}

// On many European keyboards "[" is AltGr+8, which browsers report as Ctrl+Alt.
const isThirdLevel = (event) => event.getModifierState("AltGraph");

const isField = (element) =>
  element.tagName === "TEXTAREA" || (element.tagName === "INPUT" && element.type === "number");

function show(session, place) {
  const view = new View(session, place);
  return () => view.close();
}

export { Session, show };
