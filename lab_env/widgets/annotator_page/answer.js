// The answer being given: a list of Label Studio regions, never changed in place.

const regionsOf = (result, control) =>
  result.filter((region) => region.from_name === control.name);

const valueOf = (result, control) => regionsOf(result, control)[0]?.value;

// The one region of a question that is answered as a whole; no value takes it out.
function answered(result, control, value) {
  const [before] = regionsOf(result, control);
  const others = result.filter((region) => region !== before);
  if (!value) return others;
  // Label Studio writes the comparison's own name here, and reads nothing else.
  const to = control.kind === "Pairwise" ? control.name : control.to[0];
  return [...others, region(control, to, value, before?.id)];
}

function region(control, to, value, id = newId()) {
  return { id, from_name: control.name, to_name: to, type: TYPE[control.kind], value };
}

// Several codes stand in the order of the configuration, whatever came first.
function toggled(codes, code, { multiple, options }) {
  if (!multiple) return [code];
  const on = (each) => codes.includes(each) !== (each === code);
  return options.map((option) => option.code).filter(on);
}

const labelsOf = (region) => region.value[region.type] ?? [];

function relabelled(result, id, control, code) {
  return result.map((each) => {
    if (each.id !== id) return each;
    const codes = toggled(labelsOf(each), code, control);
    const value = { ...each.value, [TYPE[control.kind]]: codes };
    return { ...each, from_name: control.name, value };
  });
}

const changed = (result, id, more) =>
  result.map((each) =>
    each.id === id ? { ...each, value: { ...each.value, ...more } } : each);

const without = (result, id) => result.filter((each) => each.id !== id);

function optionOf(control, region) {
  const [code] = labelsOf(region);
  return control.options.find((option) => option.code === code);
}

function namesOf(control, region) {
  const codes = labelsOf(region);
  const options = control.options.filter((option) => codes.includes(option.code));
  return options.map((option) => option.value).join(" + ");
}

function isAnswered(result, control) {
  const value = valueOf(result, control);
  if (control.kind === "TextArea") return Boolean(value?.text.join("").trim());
  return Boolean(value);
}

// What is still missing, as a sentence; null when the answer may go.
function missing(setup, result) {
  const { words, controls } = setup;
  for (const control of controls) {
    if (regionsOf(result, control).some((r) => isMarking(control) && !labelsOf(r).length)) {
      return words.needLabel;
    }
    if (control.required && !isAnswered(result, control)) return asked(control, words);
  }
  // "Nothing to mark here" is an answer; no choice at all is not.
  const empty = !controls.some((control) => isAnswered(result, control));
  return empty && !controls.some(isMarking) ? words.needAnything : null;
}

function asked(control, words) {
  if (control.required_message) return control.required_message;
  if (isMarking(control)) return words.needMark;
  return control.kind === "TextArea" ? words.needNote : words.needChoice;
}
