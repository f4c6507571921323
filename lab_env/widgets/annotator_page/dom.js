// Elements, colours, and the two ways of counting characters.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "innerHTML"]);

// h("button", { class: "x", onclick: act }, "text", child)
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on") || PROPERTIES.has(name)) element[name] = value;
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const kbd = (name) =>
  name ? h("kbd", { "aria-hidden": "true" }, name.length === 1 ? name.toUpperCase() : name) : null;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const newId = () => Math.random().toString(36).slice(2, 12);

// JavaScript counts UTF-16 units; Python and the result file count code points. One
// emoji would shift every span behind it. unitAt(text)[point] is the unit of a point.
function unitAt(text) {
  const units = [0];
  for (const character of text) units.push(units.at(-1) + character.length);
  return units;
}
const pointsIn = (text) => [...text].length;

// A heading or field of the task: "$name" is taken from the task, the rest is itself.
const filled = (value, data) =>
  value.startsWith("$") ? String(data[value.slice(1)] ?? "") : value;

// Told apart by readers with any colour vision (Okabe and Ito, then darker ones).
const PALETTE = [
  "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9",
  "#d55e00", "#8c6d1f", "#7b3fa0", "#5f6b6d", "#b8b000",
];
const brush = document.createElement("canvas").getContext("2d");

// "red" or "#f00" as "#ff0000": the browser knows the names.
function hex(colour) {
  brush.fillStyle = "#5f6b6d";
  brush.fillStyle = colour;
  return brush.fillStyle;
}

// Black or white, whichever reads better on this colour (WCAG relative luminance).
function inkOn(colour) {
  const part = (at) => parseInt(colour.slice(at, at + 2), 16) / 255;
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const [red, green, blue] = [1, 3, 5].map((at) => linear(part(at)));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}

// 75 → "1:15"
function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
