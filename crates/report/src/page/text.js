// The only ways by which text gets into the page. The connected system's text is data: nothing here can make markup of it.

// Characters that cannot be seen, or that turn the direction of writing.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function visible(text) {
  return text.replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
  return node;
}

// A name that the connected system gave: its direction of writing stays within it.
function name(text) {
  return element("bdi", {}, text);
}

function notKnown() {
  return element("span", { class: "none" }, element("span", { "aria-hidden": "true" }, "–"), element("span", { class: "unseen" }, "not known"));
}

function nameOrNotKnown(text) {
  return text === null ? notKnown() : name(text);
}

function mark(text) {
  return element("span", { class: "mark" }, text);
}

function number(count) {
  return count.toLocaleString("en");
}

// For searching: without case and without accents.
function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
