// A picture on which boxes are drawn, moved and resized, by mouse and by keyboard.

const SIDES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const ARROWS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};
// A press that hardly moved was meant to choose, not to draw.
const CLICK = 4;
const HELD = 8;
const ZOOM = { "+": 1.25, "-": 0.8 };
const ZOOM_KEYS = { "+": "+", "-": "-", _: "-", "=": "=" };

class Picture {
  constructor(session, shown, controls) {
    Object.assign(this, { session, shown, controls, zoom: 1 });
    const { words } = session.setup;
    this.image = h("img", { alt: words.image, draggable: "false" });
    // By way of the view, which keeps the focus.
    this.image.onload = () => session.redraw("answer");
    this.sheet = h("div", { class: "an-sheet" }, this.image);
    this.window = h("div", {
      class: "an-window", tabindex: "0", role: "group", "data-main": "",
      "aria-label": words.image,
      onpointerdown: (event) => this.press(event),
    }, this.sheet);
    this.window.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.element = h("div", { class: "an-picture" }, this.tools(), this.window);
    this.show(session.showing?.[shown.name]);
  }

  show(image) {
    if (image?.key && !image.error) this.image.src = this.session.pictures.get(image.key);
    else this.window.replaceChildren(this.sorry(image?.error));
  }

  sorry(why) {
    return h("p", { class: "an-sorry", role: "alert" },
      why ?? this.session.setup.words.imageMissing);
  }

  tools() {
    const { setup } = this.session;
    const { words } = setup;
    const tool = (name, label, act) =>
      h("button", { type: "button", onclick: act }, label, kbd(setup.free(name)));
    const zoom = (name) => () => this.zoomBy(name);
    return h("div", { class: "an-tools" },
      this.controls.length ? tool("N", words.newBox, () => this.addInMiddle()) : null,
      this.shown.zoom ? tool("+", words.zoomIn, zoom("+")) : null,
      this.shown.zoom ? tool("-", words.zoomOut, zoom("-")) : null,
      this.shown.zoom ? tool("=", words.fit, zoom("=")) : null);
  }

  // ---- drawing

  update() {
    if (!this.image.naturalWidth) return;
    this.sheet.replaceChildren(this.image, ...this.boxes().map((box, at) => this.draw(box, at)));
  }

  boxes() {
    return this.controls.flatMap((control) =>
      regionsOf(this.session.result, control).map((region) =>
        ({ control, region, option: optionOf(control, region) })));
  }

  draw({ control, region, option }, at) {
    const { words } = this.session.setup;
    const name = namesOf(control, region) || words.noLabel;
    const chosen = region.id === this.session.chosen;
    return h("div", {
      class: `an-box${chosen ? " an-chosen" : ""}${option ? "" : " an-bare"}`,
      style: `${option?.style ?? ""};${this.place(region.value)}`,
      tabindex: "0", role: "button", "aria-pressed": String(chosen),
      "aria-label": words.box(name, at + 1),
      "data-region": region.id, "data-focus": region.id, "data-label": name,
      onfocus: () => this.focused(region.id),
    }, ...(chosen ? SIDES.map((side) => h("i", { "data-side": side })) : []));
  }

  // Reached by Tab it is chosen; given back after a redraw it is not.
  focused(id) {
    const { session } = this;
    if (!session.drawing && session.chosen !== id) session.choose(id);
  }

  place({ x, y, width, height }) {
    return `left:${x}%;top:${y}%;width:${width}%;height:${height}%`;
  }

  // ---- geometry, in pixels of the image itself

  get size() {
    return { across: this.image.naturalWidth, down: this.image.naturalHeight };
  }

  pixel(event) {
    const frame = this.sheet.getBoundingClientRect();
    const { across, down } = this.size;
    return [
      clamp(Math.round(((event.clientX - frame.left) / frame.width) * across), 0, across),
      clamp(Math.round(((event.clientY - frame.top) / frame.height) * down), 0, down),
    ];
  }

  edges({ x, y, width, height }) {
    const { across, down } = this.size;
    const pixels = (percent, of) => Math.round((percent * of) / 100);
    return {
      w: pixels(x, across), n: pixels(y, down),
      e: pixels(x + width, across), s: pixels(y + height, down),
    };
  }

  percent({ w, n, e, s }) {
    const { across, down } = this.size;
    const [left, right, top, bottom] = [
      Math.min(w, e), Math.max(w, e), Math.min(n, s), Math.max(n, s),
    ];
    const width = Math.max(right - left, 1), height = Math.max(bottom - top, 1);
    return {
      x: (Math.min(left, across - width) / across) * 100, width: (width / across) * 100,
      y: (Math.min(top, down - height) / down) * 100, height: (height / down) * 100,
    };
  }

  moved({ w, n, e, s }, right, downward) {
    const { across, down } = this.size;
    const dx = clamp(right, -w, across - e), dy = clamp(downward, -n, down - s);
    return { w: w + dx, e: e + dx, n: n + dy, s: s + dy };
  }

  resized(edges, side, right, downward) {
    const { across, down } = this.size;
    const after = { ...edges };
    for (const name of side) {
      const flat = name === "w" || name === "e";
      after[name] = clamp(edges[name] + (flat ? right : downward), 0, flat ? across : down);
    }
    return after;
  }

  // ---- mouse

  press(event) {
    if (event.button !== 0 || this.session.locked || !this.image.naturalWidth) return;
    if (!this.sheet.contains(event.target)) return;
    event.preventDefault();
    const box = event.target.closest(".an-box");
    const side = event.target.dataset.side;
    if (box) this.session.choose(box.dataset.region);
    this.follow(event, box ? this.changing(side) : this.drawing());
    this.focusOn(box?.dataset.region);
  }

  // Until the button is let go the box only moves on the screen; then it is an answer.
  follow(event, { begin, at, keep, click }) {
    const [x0, y0] = this.pixel(event);
    const ghost = h("div", { class: "an-box an-ghost" });
    let edges = null;
    const move = (now) => {
      if (Math.hypot(now.clientX - event.clientX, now.clientY - event.clientY) < CLICK) return;
      const [x, y] = this.pixel(now);
      edges = at(begin ?? { w: x0, n: y0, e: x0, s: y0 }, x - x0, y - y0);
      ghost.style.cssText = this.place(this.percent(edges));
      this.sheet.append(ghost);
    };
    const up = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointercancel", up);
      removeEventListener("pointerup", up);
      ghost.remove();
      if (edges) keep(this.percent(edges));
      else click?.();
    };
    addEventListener("pointermove", move);
    addEventListener("pointercancel", up);
    addEventListener("pointerup", up);
  }

  drawing() {
    return {
      at: (edges, right, downward) => this.resized(edges, "se", right, downward),
      keep: (value) => this.add(value, { choose: false }),
      click: () => this.session.choose(null),
    };
  }

  changing(side) {
    const { chosen } = this.session;
    return {
      begin: this.edges(this.find(chosen).value),
      at: (edges, ...by) =>
        side ? this.resized(edges, side, ...by) : this.moved(edges, ...by),
      keep: (value) => this.change(chosen, value),
    };
  }

  find(id) {
    return this.boxes().map(({ region }) => region).find((region) => region.id === id);
  }

  // ---- edits

  // A box drawn with a label at hand is done; without one it waits for its label.
  add(value, { choose }) {
    const { label, result } = this.session;
    const [first] = this.controls;
    if (!first) return;
    const mine = this.controls.includes(label?.control) ? label : null;
    const made = region(mine?.control ?? first, this.shown.name, {
      ...value, rotation: 0, rectanglelabels: mine ? [mine.option.code] : [],
    });
    const { across, down } = this.size;
    Object.assign(made, { original_width: across, original_height: down, image_rotation: 0 });
    this.session.chosen = choose || !mine ? made.id : null;
    this.session.edit([...result, made]);
    this.focusOn(this.session.chosen);
  }

  change(id, value, typing = false) {
    this.session.edit(changed(this.session.result, id, value), { typing });
  }

  focusOn(id) {
    const box = id && this.sheet.querySelector(`[data-focus="${id}"]`);
    (box || this.window).focus({ preventScroll: true });
  }

  // ---- keyboard

  key(event) {
    const { chosen } = this.session;
    const arrow = ARROWS[event.key];
    if (event.key.toLowerCase() === "n" && this.controls.length) this.addInMiddle();
    else if (this.shown.zoom && event.key in ZOOM_KEYS) this.zoomBy(ZOOM_KEYS[event.key]);
    else if (arrow && this.find(chosen)) this.nudge(arrow, event);
    else return false;
    return true;
  }

  // A fifth of what is to be seen, in its middle.
  addInMiddle() {
    if (this.session.locked || !this.image.naturalWidth) return;
    const sheet = this.sheet.getBoundingClientRect();
    const seen = this.window.getBoundingClientRect();
    const [x, y] = this.pixel({
      clientX: (Math.max(sheet.left, seen.left) + Math.min(sheet.right, seen.right)) / 2,
      clientY: (Math.max(sheet.top, seen.top) + Math.min(sheet.bottom, seen.bottom)) / 2,
    });
    const half = Math.round(Math.min(this.size.across, this.size.down) / this.zoom / 10);
    const edges = { w: x - half, n: y - half, e: x + half, s: y + half };
    this.add(this.percent(this.moved(edges, 0, 0)), { choose: true });
  }

  nudge([right, downward], event) {
    const step = event.repeat ? HELD : 1;
    const edges = this.edges(this.find(this.session.chosen).value);
    const by = [right * step, downward * step];
    const after = event.shiftKey ? this.grown(edges, by) : this.moved(edges, ...by);
    this.change(this.session.chosen, this.percent(after), event.repeat);
  }

  grown(edges, by) {
    const after = this.resized(edges, "se", ...by);
    return { ...after, e: Math.max(after.e, edges.w + 1), s: Math.max(after.s, edges.n + 1) };
  }

  // ---- zoom

  wheel(event) {
    if (!(event.ctrlKey || event.metaKey) || !this.shown.zoom) return;
    event.preventDefault();
    this.zoomBy(event.deltaY < 0 ? "+" : "-");
  }

  zoomBy(name) {
    const before = this.zoom;
    if (before === 1) this.fitted = this.sheet.clientWidth;
    this.zoom = name === "=" ? 1 : clamp(before * ZOOM[name], 1, 8);
    const { window: pane } = this;
    const middle = (scroll, length) => ((scroll + length / 2) * this.zoom) / before - length / 2;
    const left = middle(pane.scrollLeft, pane.clientWidth);
    const top = middle(pane.scrollTop, pane.clientHeight);
    this.sheet.style.width = this.zoom === 1 ? "" : `${this.zoom * this.fitted}px`;
    this.sheet.classList.toggle("an-zoomed", this.zoom !== 1);
    pane.scrollTo(left, top);
  }
}
