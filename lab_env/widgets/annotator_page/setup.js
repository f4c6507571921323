// The labelling configuration as the page needs it: flat lists, keys, colours.

const AUTOMATIC = "1234567890qwetasdfzcvb";
const TYPE = {
  Choices: "choices", Labels: "labels", RectangleLabels: "rectanglelabels",
  Pairwise: "pairwise", Ranker: "ranker", TextArea: "textarea",
};
const MARKING = ["Labels", "RectangleLabels"];
const isControl = (piece) => piece.kind in TYPE;
const isMarking = (control) => MARKING.includes(control.kind);

function flat(piece) {
  return piece.kind === "View" ? piece.children.flatMap(flat) : [piece];
}

// Pairwise has no options in the configuration: left and right are its two.
function giveSides(control, words) {
  const option = (code) => ({ code, value: words[code], hotkey: "", background: "" });
  if (control.kind === "Pairwise") control.options = [option("left"), option("right")];
}

// Keys that the configuration gives come first; the others follow in order.
function giveKeys(options) {
  const taken = new Set(options.map((option) => option.hotkey));
  const free = [...AUTOMATIC].filter((name) => !taken.has(name));
  for (const option of options) option.hotkey ||= free.shift() ?? "";
}

function giveColours(options) {
  options.forEach((option, at) => {
    option.colour = hex(option.background || PALETTE[at % PALETTE.length]);
    option.style = `--label:${option.colour};--ink:${inkOn(option.colour)}`;
  });
}

function prepare(setup) {
  const words = WORDS[setup.language];
  const pieces = flat(setup.labelling);
  const controls = pieces.filter(isControl);
  controls.forEach((control) => giveSides(control, words));
  controls.forEach((control) => giveColours(control.options));
  giveKeys(controls.flatMap((control) => control.options));
  // A command's key that an option has is not the command's any more.
  const taken = new Set(controls.flatMap((c) => c.options.map((option) => option.hotkey)));
  const free = (name) => (taken.has(name.toLowerCase()) ? "" : name);
  return { ...setup, words, pieces, controls, free, instant: instant(setup, controls) };
}

// The one question that a single key answers and submits in fast mode.
function instant(setup, controls) {
  const single = (c) => c.kind === "Pairwise" || (c.kind === "Choices" && !c.multiple);
  const [first, ...others] = controls.filter((c) => single(c) || c.required);
  const alone = first && single(first) && !others.length && !controls.some(isMarking);
  return setup.mode === "fast" && alone ? first : null;
}
