// One small class for each kind of question: element, update(), and its own keys.

class ChoicesBox {
  constructor(session, control, pick) {
    Object.assign(this, { session, control });
    const type = control.multiple ? "checkbox" : "radio";
    const name = newId();
    this.inputs = control.options.map((option) =>
      h("input", { type, name, onclick: (event) => this.clicked(event, option, pick) }));
    const rows = control.options.map((option, at) =>
      h("label", { class: "an-choice", style: option.style, title: option.hint || null },
        this.inputs[at], h("span", {}, option.value), kbd(option.hotkey)));
    this.element = h("fieldset", { class: control.inline ? "an-inline" : null },
      h("legend", { class: "an-unseen" }, control.name), ...rows);
  }

  clicked(event, option, pick) {
    if (this.session.locked) event.preventDefault();
    else pick(this.control, option);
  }

  update() {
    const codes = valueOf(this.session.result, this.control)?.choices ?? [];
    this.control.options.forEach((option, at) => {
      this.inputs[at].checked = codes.includes(option.code);
    });
  }
}

class LabelsBar {
  constructor(session, control, pick) {
    Object.assign(this, { session, control });
    this.chips = control.options.map((option) =>
      h("button", {
        type: "button", class: "an-chip", style: option.style, title: option.hint || null,
        // A press must not take the selection out of the text.
        onpointerdown: (event) => event.preventDefault(),
        onclick: () => pick(control, option),
      }, option.value, kbd(option.hotkey)));
    this.element = h("div", { class: "an-chips", role: "group", "aria-label": control.name },
      ...this.chips);
  }

  update() {
    const { label } = this.session;
    this.control.options.forEach((option, at) => {
      this.chips[at].setAttribute("aria-pressed", String(label?.option === option));
    });
  }
}

// Two things side by side; a click anywhere on one of them chooses it.
class PairOfCards {
  constructor(session, control, pick, contents) {
    Object.assign(this, { session, control });
    const name = newId();
    this.inputs = control.options.map(() => h("input", { type: "radio", name }));
    this.cards = control.options.map((option, at) => {
      const choose = (event) => this.clicked(event, option, pick);
      return h("div", { class: "an-card", onclick: choose },
        h("label", {}, this.inputs[at], h("span", {}, option.value), kbd(option.hotkey)),
        contents[at]);
    });
    this.element = h("div", {
      class: "an-pair", role: "radiogroup", "aria-label": session.setup.words.pair,
    }, ...this.cards);
  }

  clicked(event, option, pick) {
    // The label passes its click on to the button, which comes here a second time.
    if (event.target.closest("label") && event.target.tagName !== "INPUT") return;
    if (this.session.locked) event.preventDefault();
    // Text was selected, to be read or copied, and nothing was chosen.
    else if (getSelection().isCollapsed) pick(this.control, option);
  }

  update() {
    const side = valueOf(this.session.result, this.control)?.selected;
    this.control.options.forEach((option, at) => {
      this.inputs[at].checked = option.code === side;
      this.cards[at].classList.toggle("an-chosen", option.code === side);
    });
  }
}

class RankedList {
  constructor(session, control, shown) {
    Object.assign(this, { session, control });
    const items = session.task.data[shown.field];
    this.items = new Map(items.map((item) => [String(item.id), item]));
    this.title = shown.title || session.setup.words.rank;
    this.element = h("ol", { class: "an-ranked", "aria-label": this.title });
    this.update();
  }

  update() {
    const order = this.session.orderOf(this.control);
    this.element.replaceChildren(...order.map((id, at) => this.row(id, at)));
  }

  row(id, at) {
    const { title, body, text } = this.items.get(id);
    const { words } = this.session.setup;
    const button = (name, step, sign) =>
      h("button", {
        type: "button", "aria-label": `${words[name]}: ${title ?? id}`,
        "data-focus": `${id}-${name}`, onclick: () => this.move(id, step),
      }, sign);
    return h("li", {
      class: "an-row", tabindex: "0", "data-id": id, "data-focus": id,
      "data-main": at === 0 ? "" : null, onpointerdown: (event) => this.drag(event, id),
    },
    h("span", { class: "an-rank" }, String(at + 1)),
    h("div", {}, title ? h("strong", {}, title) : null, h("p", {}, body ?? text ?? "")),
    button("up", -1, "↑"), button("down", 1, "↓"));
  }

  get order() {
    return [...this.element.children].map((row) => row.dataset.id);
  }

  move(id, step) {
    this.put(id, this.order.indexOf(id) + step);
  }

  put(id, place) {
    const order = this.order.filter((each) => each !== id);
    order.splice(clamp(place, 0, order.length), 0, id);
    this.keep(order);
  }

  keep(order) {
    const { session, control } = this;
    const ranker = { [control.name]: order };
    session.edit(answered(session.result, control, { ranker }));
  }

  // The row follows the pointer from place to place; letting go makes it the answer.
  drag(event, id) {
    if (event.button !== 0 || this.session.locked || event.target.closest("button")) return;
    event.preventDefault();
    const row = event.currentTarget;
    const before = this.order;
    row.focus();
    row.classList.add("an-dragged");
    const move = (now) => {
      const rows = [...this.element.children].filter((each) => each !== row);
      const below = rows.find((each) => {
        const { top, height } = each.getBoundingClientRect();
        return now.clientY < top + height / 2;
      });
      if (row.nextElementSibling !== (below ?? null)) {
        this.element.insertBefore(row, below ?? null);
        row.focus();
      }
    };
    const up = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
      row.classList.remove("an-dragged");
      if (this.order.join() !== before.join()) this.keep(this.order);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
  }

  key(event) {
    const row = event.target.closest(".an-row");
    if (!row || !this.element.contains(row)) return false;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const digit = /^[1-9]$/.test(event.key) && Number(event.key) <= this.items.size;
    if (digit) this.put(row.dataset.id, Number(event.key) - 1);
    else if (step && event.shiftKey) this.move(row.dataset.id, step);
    else if (step) (step < 0 ? row.previousSibling : row.nextSibling)?.focus();
    else return false;
    return true;
  }
}

class Note {
  constructor(session, control) {
    Object.assign(this, { session, control });
    this.field = h("textarea", {
      rows: control.rows, maxlength: 10000, placeholder: control.placeholder || null,
      "aria-label": control.placeholder || session.setup.words.note,
      oninput: () => this.typed(),
    });
    this.element = h("div", { class: "an-note" }, this.field);
  }

  typed() {
    const { session, control } = this;
    const value = this.field.value.trim() ? { text: [this.field.value] } : null;
    session.edit(answered(session.result, control, value), { typing: true });
  }

  update() {
    const text = valueOf(this.session.result, this.control)?.text.join("\n") ?? "";
    // Set anew, it would throw the caret to the end in the middle of a word.
    if (text !== this.field.value && text.trim() !== this.field.value.trim()) {
      this.field.value = text;
    }
    this.field.readOnly = this.session.locked;
  }
}

// What is marked so far, to choose it or take it out without a mouse.
class MarkedList {
  constructor(session, controls, shown) {
    Object.assign(this, { session, controls, shown });
    const label = session.setup.words.regions;
    this.element = h("ul", { class: "an-marked", "aria-label": label });
  }

  update() {
    const items = this.controls.flatMap((control) =>
      regionsOf(this.session.result, control).map((region) => this.item(control, region)));
    this.element.hidden = !items.length;
    this.element.replaceChildren(...items);
  }

  item(control, region) {
    const { session } = this;
    const { words } = session.setup;
    const option = optionOf(control, region);
    const name = namesOf(control, region) || words.noLabel;
    const chosen = region.id === session.chosen;
    const text = region.value.text ?? "";
    return h("li", { style: option?.style ?? null },
      h("button", {
        type: "button", class: "an-chip", "aria-pressed": String(chosen),
        "data-focus": `marked-${region.id}`,
        onclick: () => session.choose(chosen ? null : region.id),
      }, text ? words.mark(name, text.slice(0, 24)) : name),
      h("button", {
        type: "button", class: "an-remove", "aria-label": `${words.remove} ${name} ${text.slice(0, 24)}`,
        onclick: () => session.edit(without(session.result, region.id)),
      }, "×"));
  }
}
