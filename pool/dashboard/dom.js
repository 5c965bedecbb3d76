// The only way from a value to the page. Names of workers and accounts come from strangers: they become text, never markup.

export function byId(id) {
  return document.getElementById(id);
}

// Writes only what changed, so that a selection survives the refresh and nothing is announced twice.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setState(element, state) {
  if (element.dataset.state !== state) element.dataset.state = state;
}

export function element(tag, { className = "", text = "", ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Makes the children of `parent` as many as `rows`, then shows each row in its child.
export function repeat(parent, rows, make, show) {
  while (parent.children.length > rows.length) parent.lastElementChild.remove();
  while (parent.children.length < rows.length) parent.append(make());
  rows.forEach((row, index) => show(parent.children[index], row));
}

// Text in which `backticks` mark what is to be typed.
export function setCode(parent, text) {
  if (parent.dataset.text === text) return;
  parent.dataset.text = text;
  parent.replaceChildren(...text.split("`").map((part, index) => (index % 2 ? element("code", { text: part }) : part)));
}
