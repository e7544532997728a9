// SPDX-License-Identifier: GPL-3.0-or-later
// Nodes of the page. Strings become text, never markup.

export const byId = (id) => document.getElementById(id);

export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

export function drawn(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/// As little as possible is touched: what is selected or read out stays so.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/// As many items of a list as there are texts.
export function setList(list, texts) {
  list.hidden = texts.length === 0;
  while (list.children.length > texts.length) list.lastChild.remove();
  texts.forEach((text, i) => setText(list.children[i] || list.appendChild(element("li")), text));
}

/// `columns`: [{title, className}]. `rows`: lists of texts, {text, className}, or nodes that are the same each time.
export function setTable(place, label, columns, rows, empty) {
  if (rows.length === 0) {
    if (!place.querySelector(".empty")) place.replaceChildren(element("p", "empty"));
    setText(place.firstChild, empty);
    return;
  }
  const table = place.querySelector("table") || newTable(place, label, columns);
  const body = table.tBodies[0];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, i) => {
    const line = body.rows[i] || body.insertRow();
    row.forEach((value, column) => setCell(line.cells[column] || line.insertCell(), columns[column], value));
  });
}

function setCell(cell, column, value) {
  const content = typeof value === "string" ? { text: value } : value;
  if (content instanceof Node) {
    cell.className = column.className || "";
    if (cell.firstChild !== content) cell.replaceChildren(content);
    return;
  }
  const className = [column.className, content.className].filter(Boolean).join(" ");
  if (cell.className !== className) cell.className = className;
  setText(cell, content.text);
}

function newTable(place, label, columns) {
  const head = element("tr");
  for (const { title, className } of columns) {
    const cell = element("th", className, title);
    cell.scope = "col";
    head.append(cell);
  }
  const table = element("table", "", element("thead", "", head), element("tbody"));
  table.setAttribute("aria-label", label);
  // Keys scroll what has the focus.
  const scroll = element("div", "scroll", table);
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", label);
  place.replaceChildren(scroll);
  return table;
}
