// The only code in the model's state, so that a notebook that keeps widget state stays
// small: the page itself is asked of the kernel, once for each version and browser tab.

const pages = (globalThis.__annotatorPages ??= new Map());
const PATIENCE = 10_000;

function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

async function load(buffers) {
  const [style, code] = await Promise.all(buffers.map(unpacked));
  const sheet = document.createElement("style");
  sheet.textContent = style;
  document.head.append(sheet);
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const page = await import(address);
  URL.revokeObjectURL(address);
  return page;
}

function answerOf(model) {
  return new Promise((resolve) => {
    const hear = (message, buffers) => {
      if (message.kind !== "page") return;
      model.off("msg:custom", hear);
      resolve(load(buffers));
    };
    model.on("msg:custom", hear);
    model.send({ kind: "page" });
  });
}

function pageFor(model) {
  const version = model.get("page");
  if (!pages.has(version)) {
    const page = answerOf(model);
    pages.set(version, page);
    // A kernel that died before it answered must not leave the next one waiting.
    const giveUp = setTimeout(() => pages.delete(version), PATIENCE);
    page.then(() => clearTimeout(giveUp));
  }
  return pages.get(version);
}

export default () => {
  let opening;
  return {
    initialize({ model }) {
      opening = pageFor(model).then((page) => [page, new page.Session(model)]);
    },
    async render({ el }) {
      el.textContent = "正在载入…… Loading…";
      const [page, session] = await opening;
      el.textContent = "";
      return page.show(session, el);
    },
  };
};
