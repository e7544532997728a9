// SPDX-License-Identifier: GPL-3.0-or-later
// Shows what /status.json tells. Whatever comes from there becomes text, never markup.
"use strict";

const INTERVAL = 2000;
const PATIENCE = 6000;
const SAMPLES = 60;
const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

/// Fills a node with text and nodes.
function fill(node, ...children) {
  node.replaceChildren(...children);
  return node;
}

function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function drawn(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/// As little as possible is touched: what is selected or read out stays so.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// --- words ---------------------------------------------------------------------------------------------------------

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  for (; bytes >= 999.5 && i < units.length - 1; ++i) bytes /= 1000;
  return `${i === 0 || bytes >= 99.5 ? Math.round(bytes) : bytes.toFixed(1)} ${units[i]}`;
}

const rate = (bytes) => `${size(bytes)}/s`;

function duration(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

function timeOf(text) {
  const time = new Date(text);
  const today = new Date().toDateString() === time.toDateString();
  return today ? time.toLocaleTimeString() : `${time.toLocaleDateString()} ${time.toLocaleTimeString()}`;
}

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// --- tables --------------------------------------------------------------------------------------------------------

/// `columns`: [{title, className}]; `rows`: lists of texts, {text, className} or nodes that are the same each time.
function setTable(place, label, columns, rows, empty) {
  if (rows.length === 0) {
    if (!place.querySelector(".empty")) fill(place, element("p", "empty"));
    setText(place.firstChild, empty);
    return;
  }
  let table = place.querySelector("table");
  if (!table) {
    const head = element("tr");
    for (const { title, className } of columns) {
      const cell = element("th", className, title);
      cell.scope = "col";
      head.append(cell);
    }
    table = element("table", "", element("thead", "", head), element("tbody"));
    table.setAttribute("aria-label", label);
    const scroll = element("div", "scroll", table);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", label);
    fill(place, scroll);
  }
  const body = table.tBodies[0];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, i) => {
    const line = body.rows[i] || body.insertRow();
    row.forEach((value, column) => {
      const cell = line.cells[column] || line.insertCell();
      const content = typeof value === "string" ? { text: value } : value;
      const className = [columns[column].className, content.className].filter(Boolean).join(" ");
      if (cell.className !== className) cell.className = className;
      if (content instanceof Node) {
        if (cell.firstChild !== content) fill(cell, content);
      } else {
        setText(cell, content.text);
      }
    });
  });
}

// --- rates of interfaces -------------------------------------------------------------------------------------------

/// By name: the last counters, rates in bytes a second, and the rates before.
const meters = new Map();

function measure(interfaces, now) {
  for (const { name, received, sent } of interfaces) {
    let meter = meters.get(name);
    if (!meter) {
      meter = { history: [], received: 0, sent: 0, spark: drawn("svg", { class: "spark", viewBox: "0 0 60 20", preserveAspectRatio: "none", "aria-hidden": "true" }, drawn("polyline", {})) };
      meters.set(name, meter);
    }
    if (meter.last) {
      const seconds = (now - meter.last.at) / 1000;
      // An interface that came anew counts from nothing.
      meter.received = Math.max(0, received - meter.last.received) / seconds;
      meter.sent = Math.max(0, sent - meter.last.sent) / seconds;
      meter.history.push(meter.received + meter.sent);
      if (meter.history.length > SAMPLES) meter.history.shift();
      drawSpark(meter);
    }
    meter.last = { at: now, received, sent };
  }
}

function drawSpark(meter) {
  const top = Math.max(...meter.history, 1000);
  const first = SAMPLES - meter.history.length;
  const points = meter.history.map((value, i) => `${first + i},${(19 - (18 * value) / top).toFixed(1)}`);
  meter.spark.firstChild.setAttribute("points", points.join(" "));
}

// --- the picture ---------------------------------------------------------------------------------------------------

const stateOf = (link) => (link.used ? "used" : link.usable ? "standby" : "down");
const stateWords = { used: "used", standby: "stands by", down: "down" };

/// Bytes a second of a link's own, or nothing where they cannot be told apart from those of others.
function rateOf(data, peer, link) {
  if (link.kind === "dev") {
    const sharing = data.site.peers.filter((other) => other.links.some((l) => l.interface === link.interface));
    const meter = meters.get(link.interface);
    return sharing.length === 1 && meter ? meter.received + meter.sent : null;
  }
  if (!data.tunnel) return null;
  let sum = 0;
  for (const way of data.tunnel.ways)
    if (way.way === `peer ${peer.name} by ${link.text}` || (link.used && way.way === `peer ${peer.name}`))
      sum += way.to_far_per_second + way.to_client_per_second;
  return sum;
}

function cut(text, width, letter = 7.4) {
  const most = Math.max(4, Math.floor(width / letter));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function label(x, y, className, text, anchor = "start") {
  return drawn("text", { x, y, class: className, "text-anchor": anchor }, text);
}

let drawnPicture = "";
/// Of the links drawn, in order: where the rate stands, and what moves.
let rateLabels = [];

function showPicture(data) {
  const place = byId("picture");
  const width = Math.max(280, Math.round(place.clientWidth));
  const shape = JSON.stringify([width, data.site.name, data.site.lan, data.site.peers]);
  if (shape !== drawnPicture) {
    drawnPicture = shape;
    drawPicture(place, data.site, width);
  }
  let i = 0;
  for (const peer of data.site.peers)
    for (const link of peer.links) {
      const { text, pulse } = rateLabels[i++];
      const bytes = rateOf(data, peer, link);
      setText(text, bytes === null ? "" : rate(bytes));
      pulse.setAttribute("class", link.used && bytes > 500 ? "pulse" : "pulse idle");
    }
}

function drawPicture(place, site, width) {
  const narrow = width < 620;
  const lane = 46;
  const peerWidth = narrow ? 108 : Math.min(260, width * 0.28);
  const own = narrow ? { x: 1, y: 1, width: width - 2, height: 58 } : { x: 1, width: Math.min(200, width * 0.22), height: 84 };
  const top = narrow ? 78 : 0;
  const places = [];
  let y = top;
  for (const peer of site.peers) {
    const height = Math.max(68, peer.links.length * lane + 8);
    places.push({ peer, y, height });
    y += height + 16;
  }
  const height = Math.max(y - 16, narrow ? 60 : 88);
  if (!narrow) own.y = (height - own.height) / 2;
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height + 2}`, role: "img", "aria-label": inWords(site) });
  rateLabels = [];
  for (const { peer, y, height } of places) {
    const box = { x: width - peerWidth - 1, y: y + 1, width: peerWidth, height: height - 2 };
    peer.links.forEach((link, i) => drawLink(svg, link, own, box, y + (height * (i + 0.5)) / peer.links.length, narrow));
    drawPeer(svg, peer, box);
  }
  svg.append(drawn("rect", { ...own, rx: 10, class: "box own" }));
  const middle = own.y + own.height / 2;
  svg.append(label(own.x + 16, middle - 4, "title", cut(site.name, own.width - 32, 8.6)));
  svg.append(label(own.x + 16, middle + 16, "small", cut(site.lan.join(", "), own.width - 32, 7)));
  fill(place, svg);
  if (site.peers.length === 0) place.append(element("p", "empty", "No peers yet: add [[peer]] to site.toml."));
}

function drawLink(svg, link, own, box, y, narrow) {
  const state = stateOf(link);
  const left = narrow ? own.x + 15 : own.x + own.width;
  const straight = narrow ? left + 14 : left + Math.min(110, (box.x - left) * 0.3);
  const path = narrow
    ? `M${left},${own.y + own.height} V${y - 14} Q${left},${y} ${straight},${y} H${box.x}`
    : `M${left},${own.y + own.height / 2} C${(left + straight) / 2},${own.y + own.height / 2} ${(left + straight) / 2},${y} ${straight},${y} H${box.x}`;
  svg.append(drawn("path", { d: path, class: `wire ${state}` }));
  const pulse = svg.appendChild(drawn("path", { d: path, class: "pulse idle" }));
  svg.append(drawn("circle", { cx: box.x, cy: y, r: 4, class: `end ${state}` }));
  const room = box.x - straight - 22;
  svg.append(label(straight + 10, y - 8, "", cut(link.text, narrow ? room : room * 0.7)));
  const below = label(straight + 10, y + 18, `small ${state === "down" ? "bad" : ""}`, stateWords[state]);
  const text = label(box.x - 12, narrow ? y + 18 : y - 8, "small", "", "end");
  svg.append(below, text);
  rateLabels.push({ text, pulse });
}

function drawPeer(svg, peer, box) {
  const reached = peer.links.some((link) => link.used);
  svg.append(drawn("rect", { ...box, rx: 10, class: `box ${reached ? "" : "bad"}` }));
  const lines = peer.virtual.slice(0, 2);
  if (peer.virtual.length > 2) lines[1] += ` and ${peer.virtual.length - 2} more`;
  if (!reached) lines.splice(0, 2, "not reached");
  let y = box.y + box.height / 2 - lines.length * 9 + 5;
  svg.append(label(box.x + 14, y, "title", cut(peer.name, box.width - 28, 8.6)));
  for (const line of lines) svg.append(label(box.x + 14, (y += 19), reached ? "small" : "small bad", cut(line, box.width - 24, 6.9)));
}

/// What the picture shows, for those who cannot see it.
function inWords(site) {
  const peers = site.peers.map((peer) => {
    const links = peer.links.map((link) => `${link.text} ${stateWords[stateOf(link)]}`);
    return `Peer ${peer.name}: ${links.join(", ")}.`;
  });
  return `Site ${site.name}. ${peers.join(" ")}`;
}

// --- the parts of the page -----------------------------------------------------------------------------------------

function showState(data) {
  const { agent, site, trial } = data;
  const unreached = site ? site.peers.filter((peer) => !peer.links.some((link) => link.used)) : [];
  const alerts = [];
  if (agent.failure) alerts.push(["bad", `The agent cannot do its work: ${agent.failure}`]);
  if (agent.fighting) alerts.push(["bad", "Another program undoes the agent's work again and again; the events name it."]);
  if (site && site.uses_tunnel && !data.tunnel) alerts.push(["bad", "natctl-tunnel does not run: systemctl start natctl-tunnel"]);
  for (const peer of unreached) alerts.push(["bad", `No link to peer ${peer.name}: flows to it are refused.`]);
  if (trial) alerts.push(["warn", `On trial, the former state comes back in ${duration(trial.seconds_left)}: natctl confirm keeps this one.`]);
  for (const listener of agent.http) if (listener.failure) alerts.push(["warn", listener.failure]);
  for (const name of agent.names) if (name.failure) alerts.push(["warn", `${name.name} does not resolve: ${name.failure}`]);
  const place = byId("alerts");
  const texts = JSON.stringify(alerts);
  if (place.dataset.texts !== texts) {
    place.dataset.texts = texts;
    fill(place, ...alerts.map(([weight, text]) => element("p", `alert ${weight}`, text)));
  }
  const worst = alerts.some(([weight]) => weight === "bad") ? "bad" : alerts.length || !site ? "warn" : "good";
  const words = { good: "Everything is in place", warn: site ? "In place, with something to look at" : "Nothing is applied", bad: "Something is wrong" };
  setState(worst, words[worst]);
  setText(byId("title"), site ? `Site ${site.name}` : "natctl");
  const title = site ? `${worst === "bad" ? "⚠ " : ""}${site.name} · natctl` : "natctl";
  if (document.title !== title) document.title = title;
  setText(byId("figures"), `natctl-agent ${data.release}, running for ${duration(agent.seconds)}: ${plural(agent.looks, "look")}, ${plural(agent.changes, "change")}, ${agent.repairs} of them put back what others took away.`);
}

function setState(weight, text) {
  byId("state").className = `state ${weight}`;
  setText(byId("state-text"), text);
}

function showFlows(data) {
  byId("flows-section").hidden = !data.tunnel && !data.site.uses_tunnel;
  const tunnel = data.tunnel || { ways: [], proxies: [], failures: [], drops: [] };
  const columns = [
    { title: "Way" },
    { title: "Open", className: "number" },
    { title: "There", className: "number" },
    { title: "Back", className: "number" },
    { title: "In all", className: "number optional" },
  ];
  const rows = tunnel.ways.map((way) => [
    `${way.way}, ${way.protocol.toUpperCase()}`,
    String(way.open),
    rate(way.to_far_per_second),
    rate(way.to_client_per_second),
    size(way.bytes_to_far + way.bytes_to_client),
  ]);
  const place = byId("flows");
  if (!place.firstChild) place.append(element("div"), element("ul", "notes"));
  setTable(place.firstChild, "Flows of the tunnel", columns, rows, data.tunnel ? "No flow yet." : "natctl-tunnel does not run.");
  const notes = [
    ...tunnel.proxies.filter((proxy) => !proxy.up).map((proxy) => `socks5 ${proxy.server} is down for ${duration(proxy.seconds)}: ${proxy.cause}`),
    ...tunnel.drops.map((drop) => `${plural(drop.count, "datagram")} dropped: ${drop.cause}`),
    ...[...tunnel.failures].sort((a, b) => b.count - a.count).slice(0, 5).map((failure) => `${failure.count} failed${failure.way ? `, ${failure.way}` : ""}: ${failure.cause}`),
  ];
  place.lastChild.hidden = notes.length === 0;
  const items = place.lastChild.children;
  while (items.length > notes.length) place.lastChild.lastChild.remove();
  notes.forEach((text, i) => setText(items[i] || place.lastChild.appendChild(element("li")), text));
}

function showInterfaces(site) {
  const columns = [
    { title: "Name" },
    { title: "State" },
    { title: "Received", className: "number" },
    { title: "Sent", className: "number" },
    { title: "Two minutes", className: "number optional" },
  ];
  const rows = site.interfaces.map(({ name, up }) => {
    const meter = meters.get(name);
    return [name, up ? { text: "up", className: "good-ink" } : { text: "down", className: "bad-ink" }, rate(meter.received), rate(meter.sent), meter.spark];
  });
  setTable(byId("interfaces"), "Interfaces", columns, rows, "None.");
}

function showMaps(site) {
  const rows = site.maps.map((map) => [map.virtual, map.real.join(", "), map.name]);
  const more = site.maps_in_all - site.maps.length;
  if (more > 0) rows.push([`and ${more} more`, "", ""]);
  setTable(byId("maps"), "Maps", [{ title: "Virtual" }, { title: "Real" }, { title: "Name" }], rows, "None: no peer can reach a host of this site.");
}

function showNames(names) {
  byId("names-section").hidden = names.length === 0;
  const rows = names.map((name) => [
    name.name,
    name.addresses.join(", ") || "none",
    name.failure ? { text: name.failure, className: "warn-ink" } : { text: "resolves", className: "good-ink" },
  ]);
  setTable(byId("names"), "Names", [{ title: "Name" }, { title: "Addresses" }, { title: "State" }], rows, "None.");
}

const weightInk = { info: "soft", warning: "warn-ink", error: "bad-ink" };

function showEvents(events) {
  const place = byId("events");
  const texts = JSON.stringify(events);
  if (place.dataset.texts === texts) return;
  place.dataset.texts = texts;
  const items = [...events].reverse().map((event) => {
    const time = element("time", "", timeOf(event.time));
    time.dateTime = event.time;
    return element("li", "", time, element("span", `tag ${weightInk[event.weight] || "soft"}`, event.weight), element("span", "text", event.text));
  });
  fill(place, ...(items.length ? items : [element("li", "empty", "Nothing yet.")]));
}

function show(data) {
  document.body.classList.remove("stale");
  showState(data);
  showEvents(data.agent.events);
  showNames(data.agent.names);
  for (const section of document.querySelectorAll("main > section"))
    if (!["events-title", "names-title"].includes(section.getAttribute("aria-labelledby"))) section.hidden = !data.site;
  if (!data.site) return;
  measure(data.site.interfaces, performance.now());
  showPicture(data);
  showFlows(data);
  showInterfaces(data.site);
  showMaps(data.site);
}

// --- asking --------------------------------------------------------------------------------------------------------

let last = null;
let timer = 0;

async function ask() {
  clearTimeout(timer);
  try {
    const response = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`${response.status}`);
    last = await response.json();
    show(last);
  } catch (error) {
    document.body.classList.add("stale");
    setState("bad", "The agent does not answer");
  }
  if (!document.hidden) timer = setTimeout(ask, INTERVAL);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) ask();
});
window.addEventListener("resize", () => {
  if (last && last.site) showPicture(last);
});
ask();
