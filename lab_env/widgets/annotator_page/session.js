// What all views of one widget share: the task, the answer, and the kernel's word.

const LATE = 8_000;
const LONGEST_TICK = 3_000;
const PICTURES_KEPT = 8;

class Session {
  constructor(model) {
    this.model = model;
    this.client = newId();
    this.views = new Set();
    this.pictures = new Map();
    this.result = [];
    this.history = [];
    this.seconds = 0;
    this.chosen = null;
    this.label = null;
    this.pending = null;
    this.status = { kind: "quiet", text: "" };
    model.on("msg:custom", (message, buffers) => this.hear(message, buffers));
    model.on("change:draft", () => this.adopt(model.get("draft")));
    // After the model was made, Jupyter says this only when its kernel is gone.
    model.on("comm_live_update", () => this.lose());
    this.ask({ kind: "open" });
  }

  join(view) {
    this.views.add(view);
    this.ticking ??= setInterval(() => this.tick(), 1000);
  }

  leave(view) {
    this.views.delete(view);
    if (this.views.size) return;
    clearInterval(this.ticking);
    this.ticking = null;
  }

  redraw(what) {
    this.drawing = true;
    for (const view of this.views) view.draw(what);
    this.drawing = false;
  }

  tick() {
    this.count();
    this.redraw("time");
  }

  // A page in the background is not being worked on, nor is one that slept.
  count() {
    const now = performance.now();
    const worked = !document.hidden && !this.locked;
    if (worked) this.seconds += Math.min(now - this.since, LONGEST_TICK) / 1000;
    this.since = now;
  }

  // Between a submission and its answer a key would hit the wrong item.
  get locked() {
    return Boolean(!this.task || this.pending || this.lost || this.setup.closed);
  }

  say(kind, text = "") {
    this.status = { kind, text };
    this.redraw("status");
  }

  // ---- to the kernel

  ask(message) {
    this.pending = `${this.client}-${newId()}`;
    this.late = setTimeout(() => this.say("wait", this.setup?.words.late), LATE);
    try {
      this.model.send({ ...message, serial: this.pending });
    } catch {
      this.lose();
    }
  }

  act(kind, more = {}) {
    if (this.locked) return;
    this.count();
    const { id } = this.task;
    this.ask({ kind, task: id, seconds: this.seconds, ...more });
    this.status = { kind: "wait", text: this.setup.words.saving };
    this.redraw("answer");
  }

  submit() {
    if (this.locked) return;
    const result = this.settled();
    const problem = missing(this.setup, result);
    if (problem) this.say("problem", problem);
    else this.act("submit", { result });
  }

  // The order on the screen is an answer, touched or not.
  settled() {
    const rankers = this.setup.controls.filter((c) => c.kind === "Ranker");
    const open = rankers.filter((control) => !isAnswered(this.result, control));
    return open.reduce((result, control) => {
      const ranker = { [control.name]: this.orderOf(control) };
      return answered(result, control, { ranker });
    }, this.result);
  }

  orderOf(control) {
    const given = valueOf(this.result, control)?.ranker[control.name];
    const { field } = this.setup.pieces.find((piece) => piece.name === control.to[0]);
    return given ?? this.task.data[field].map((item) => String(item.id));
  }

  goto(number) {
    const { total } = this.progress;
    if (number >= 1 && number <= total) this.act("goto", { number });
    else this.say("problem", this.setup.words.noNumber(total));
  }

  // ---- edits

  edit(result, { typing = false } = {}) {
    if (this.locked || JSON.stringify(result) === JSON.stringify(this.result)) return;
    // A word typed is one step back, not one for each letter.
    if (!(typing && this.typing)) this.history.push(this.result);
    this.typing = typing;
    this.result = result;
    this.keepDraft();
    this.status = { kind: "unsaved", text: this.setup.words.unsaved };
    this.redraw("answer");
  }

  undo() {
    if (this.locked) return;
    if (!this.history.length) {
      this.act("undo");
      return;
    }
    this.result = this.history.pop();
    this.typing = false;
    this.keepDraft();
    this.status = this.wordsFor({ task: this.task, progress: this.progress });
    this.redraw("answer");
  }

  choose(id) {
    this.chosen = id;
    this.redraw("answer");
  }

  // Kept in the model, so that a moved cell or a reloaded page finds it again.
  keepDraft() {
    this.count();
    const { client, seconds, result } = this;
    this.model.set("draft", { client, task: this.task.id, seconds, result });
    try {
      this.model.save_changes();
    } catch {
      this.lose();
    }
  }

  // Another page of the same widget went on with this task.
  adopt(draft) {
    if (draft?.client === this.client || draft?.task !== this.task?.id) return;
    if (!draft?.result || this.pending) return;
    this.history.push(this.result);
    this.result = draft.result;
    this.status = { kind: "unsaved", text: this.setup.words.unsaved };
    this.redraw("answer");
  }

  // ---- from the kernel

  hear(message, buffers) {
    if (message.kind !== "state") return;
    // Another page that opens is told it again; what is drawn here holds the first.
    if (message.setup) this.setup ??= prepare(message.setup);
    if (!this.setup) return;
    this.setup.closed = message.closed;
    const mine = this.pending === message.ack;
    this.progress = message.progress;
    if (this.pending && !mine) return this.redraw("status");
    clearTimeout(this.late);
    this.pending = null;
    if (!message.error && (message.moved || message.task.id !== this.task?.id)) {
      this.take(message, buffers);
    }
    this.status = this.wordsFor(message);
    this.redraw(this.task === message.task ? "task" : "answer");
  }

  take(message, buffers) {
    const { task, images } = message;
    for (const [name, image] of Object.entries(images ?? {})) {
      this.keepPicture(name, image, buffers);
    }
    Object.assign(this, { task, history: [], chosen: null, typing: false });
    const draft = this.model.get("draft");
    const here = draft.task === task.id && !message.moved;
    this.seconds = here ? draft.seconds : 0;
    this.since = performance.now();
    // After a reload the model's draft is newer than the store's.
    this.result = here ? draft.result : task.draft ?? task.result;
  }

  // One address for each picture: made anew at each draw, it would be gone while the
  // page still loads it.
  keepPicture(name, image, buffers) {
    this.showing = { ...this.showing, [name]: image };
    if (image.error) return;
    const address = this.pictures.get(image.key) ?? this.addressOf(image, buffers);
    // Taken out and put in again, it is the newest.
    this.pictures.delete(image.key);
    this.pictures.set(image.key, address);
    this.forgetOldest();
  }

  addressOf({ type, buffer }, buffers) {
    return URL.createObjectURL(new Blob([buffers[buffer]], { type }));
  }

  forgetOldest() {
    if (this.pictures.size <= PICTURES_KEPT) return;
    const [[oldest, address]] = this.pictures;
    this.pictures.delete(oldest);
    URL.revokeObjectURL(address);
  }

  wordsFor({ error, did, number, closed, task, progress }) {
    const { words } = this.setup;
    if (closed) return { kind: "problem", text: words.closed };
    if (error) return { kind: "problem", text: words.refused(error) };
    if (did === "nothing") return { kind: "quiet", text: words.nothingToUndo };
    const all = progress.done + progress.skipped === progress.total;
    const last = did === "saved" || did === "skipped";
    if (all && last) return { kind: "saved", text: this.ending(progress) };
    if (did) return { kind: "saved", text: words[did](number) };
    if (this.result !== task.result) return { kind: "unsaved", text: words.unsaved };
    return { kind: "quiet", text: words.shown[task.outcome] };
  }

  ending({ total, skipped, left }) {
    const { words, language } = this.setup;
    if (!skipped) return words.finished(total);
    const named = left.slice(0, 8).join(language === "zh" ? "、" : ", ");
    return words.passed(total, left.length > 8 ? `${named} …` : named);
  }

  // The kernel is gone: say so at once, and let nothing look as if it were saved.
  lose() {
    clearTimeout(this.late);
    this.lost = true;
    if (!this.setup) return;
    this.status = { kind: "problem", text: this.setup.words.lost };
    this.redraw("answer");
  }
}
