// What nbgrader's pages do with scripts inside the page, which the policy forbids.
"use strict";

// Its scripts read these names as globals.
for (const [name, value] of Object.entries(document.documentElement.dataset)) {
  window[name] = value;
}

// Formulas are shown as text; formgrader waits for MathJax before its keys work.
window.MathJax = {
  Hub: { Startup: { signal: { Interest: (hear) => hear("End") } } },
};

const ACTIONS = {
  "createAssignmentModal();": () => createAssignmentModal(),
  "createStudentModal();": () => createStudentModal(),
  "toggleAllNames()": () => toggleAllNames(),
};

function showName(on) {
  $("nav .name-shown").toggle(on);
  $("nav .name-hidden").toggle(!on);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll("[data-on_click]")) {
    element.addEventListener("click", ACTIONS[element.dataset.on_click]);
  }
  $("nav .glyphicon-eye-open").click(() => showName(true));
  $("nav .glyphicon-eye-close").click(() => showName(false));
});
