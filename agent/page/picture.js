// SPDX-License-Identifier: GPL-3.0-or-later
// This site, its peers, and a line for each link.
import { byId, drawn, element, setText } from "./dom.js";
import { meterOf } from "./meters.js";
import { duration, rate } from "./words.js";

const WORDS = { used: "used", standby: "stands by", held: "up again, not used yet", down: "down" };
/// Pixels of a line with what is written at it.
const LANE = 46;
/// Bytes a second from which on a line moves.
const BUSY = 500;

let drawnOf = "";
/// Of the links drawn, in order: where the rate stands, and what moves.
let drawnLinks = [];

export function showPicture(data) {
  const place = byId("picture");
  const width = Math.max(240, Math.round(place.clientWidth));
  // What else there is of links changes by the second.
  const drawing = (key, value) => (["seconds", "cause"].includes(key) ? undefined : value);
  const shape = JSON.stringify([width, data.site.name, data.site.lan, data.site.peers], drawing);
  if (shape !== drawnOf) {
    drawnOf = shape;
    draw(place, data.site, width);
  }
  let i = 0;
  for (const peer of data.site.peers)
    for (const link of peer.links) {
      const { words, text, pulse, narrow } = drawnLinks[i++];
      setFitting(words, inWordsOf(link));
      const rates = ratesOf(data, peer, link);
      setText(text, rates && link.usable ? ratesInWords(rates, narrow) : "");
      const busy = link.used && rates && rates.to + rates.from > BUSY;
      pulse.setAttribute("class", busy ? "pulse" : "pulse idle");
    }
}

const stateOf = (link) => (link.used ? "used" : link.usable ? "standby" : link.held ? "held" : "down");

function inWordsOf(link) {
  const state = stateOf(link);
  if (state === "used" || state === "standby") return WORDS[state];
  const since = link.seconds === null ? "" : ` for ${duration(link.seconds)}`;
  return state === "held" ? `works again${since}, not used yet` : `down${since}${link.cause ? `: ${link.cause}` : ""}`;
}

/// Bytes a second of a link's own, to the peer and from it; null where they cannot be told from those of others.
function ratesOf(data, peer, link) {
  if (link.kind === "dev") {
    const sharing = data.site.peers.filter((other) => other.links.some((l) => l.interface === link.interface));
    const meter = meterOf(link.interface);
    return sharing.length === 1 && meter ? { to: meter.sent, from: meter.received } : null;
  }
  if (!data.tunnel) return null;
  // Datagrams are told by peer alone.
  const names = [`peer ${peer.name} by ${link.text}`, ...(link.used ? [`peer ${peer.name}`] : [])];
  const ways = data.tunnel.ways.filter(({ way }) => names.includes(way));
  const sum = (key) => ways.reduce((total, way) => total + way[key], 0);
  return { to: sum("to_far_per_second"), from: sum("to_client_per_second") };
}

const ratesInWords = ({ to, from }, narrow) => (narrow ? rate(to + from) : `↑ ${rate(to)}   ↓ ${rate(from)}`);

function label(x, y, className, text, width, anchor = "start") {
  const node = drawn("text", { x, y, class: className, "text-anchor": anchor }, text);
  node.dataset.width = width;
  return node;
}

/// Shortens what is longer than its place; pointing at it shows the rest.
function fit(node) {
  const whole = node.textContent;
  const width = Number(node.dataset.width);
  for (let end = whole.length - 1; end > 1 && node.getComputedTextLength() > width; --end)
    node.textContent = `${whole.slice(0, end)}…`;
  if (node.textContent !== whole) node.append(drawn("title", {}, whole));
}

function setFitting(node, text) {
  if (node.dataset.whole === text) return;
  node.dataset.whole = text;
  node.textContent = text;
  fit(node);
}

/// Where the site and its peers stand: beside one another, or on a narrow screen the site above.
function layOut(site, width) {
  const narrow = width < 620;
  const peerWidth = narrow ? 112 : Math.min(260, width * 0.28);
  let y = narrow ? 79 : 1;
  const peers = site.peers.map((peer) => {
    const height = Math.max(78, peer.links.length * LANE + 8);
    const box = { x: width - peerWidth - 1, y, width: peerWidth, height };
    y += height + 16;
    return { peer, box };
  });
  const height = Math.max(y - 15, narrow ? 60 : 88);
  const own = narrow
    ? { x: 1, y: 1, width: width - 2, height: 58 }
    : { x: 1, y: height / 2 - 42, width: Math.min(200, width * 0.22), height: 84 };
  return { narrow, own, peers, height };
}

function draw(place, site, width) {
  const { narrow, own, peers, height } = layOut(site, width);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": inWords(site) });
  const links = peers.flatMap(({ peer, box }) => {
    drawPeer(svg, peer, box, narrow);
    return peer.links.map((link, i) => ({ link, box, y: box.y + (box.height * (i + 0.5)) / peer.links.length }));
  });
  // Where lines lie upon one another, the one that is used is seen.
  drawnLinks = [];
  for (const state of ["down", "held", "standby", "used"])
    links.forEach(({ link, box, y }, i) => {
      if (stateOf(link) === state) drawnLinks[i] = drawLink(svg, link, own, box, y, narrow);
    });
  svg.append(drawn("rect", { ...own, rx: 10, class: "box own" }));
  const middle = own.y + own.height / 2;
  svg.append(label(own.x + 16, middle - 4, "title", site.name, own.width - 32));
  svg.append(label(own.x + 16, middle + 16, "small", site.lan.join(", "), own.width - 32));
  place.replaceChildren(svg);
  for (const text of svg.querySelectorAll("text")) fit(text);
  if (peers.length === 0) place.append(element("p", "empty", "No peers yet: add [[peer]] to site.toml."));
}

/// From the site's box down and to the right, or in a bow.
function pathOf(own, box, y, narrow) {
  const end = `H${box.x}`;
  if (narrow) {
    const x = own.x + 15;
    return { begin: x + 14, path: `M${x},${own.y + own.height} V${y - 14} Q${x},${y} ${x + 14},${y} ${end}` };
  }
  const x = own.x + own.width;
  const middle = own.y + own.height / 2;
  const begin = x + Math.min(110, (box.x - x) * 0.3);
  const bend = (x + begin) / 2;
  return { begin, path: `M${x},${middle} C${bend},${middle} ${bend},${y} ${begin},${y} ${end}` };
}

function drawLink(svg, link, own, box, y, narrow) {
  const state = stateOf(link);
  const { begin, path } = pathOf(own, box, y, narrow);
  const room = box.x - begin - (narrow ? 16 : 26);
  const pulse = drawn("path", { d: path, class: "pulse idle" });
  const words = label(begin + (narrow ? 6 : 10), y + 18, `small ${state === "down" ? "bad" : ""}`, "", room);
  const text = label(box.x - 12, y + 18, "small", "", room, "end");
  svg.append(
    drawn("path", { d: path, class: `wire ${state}` }),
    pulse,
    drawn("circle", { cx: box.x, cy: y, r: 4, class: `end ${state}` }),
    label(begin + (narrow ? 6 : 10), y - 8, narrow ? "dense" : "", link.text, room),
    words,
    text,
  );
  return { words, text, pulse, narrow };
}

function drawPeer(svg, peer, box, narrow) {
  const reached = peer.links.some((link) => link.used);
  svg.append(drawn("rect", { ...box, rx: 10, class: reached ? "box" : "box bad" }));
  let lines = peer.virtual.slice(0, 2);
  if (peer.virtual.length > 2) lines[1] = `and ${peer.virtual.length - 1} more`;
  if (!reached) lines = ["not reached"];
  let y = box.y + box.height / 2 - lines.length * 9 + 5;
  const x = box.x + (narrow ? 10 : 14);
  const room = box.width - (narrow ? 16 : 24);
  svg.append(label(x, y, "title", peer.name, room));
  for (const line of lines) {
    y += 19;
    svg.append(label(x, y, reached ? "small" : "small bad", line, room));
  }
}

/// What the picture shows, for those who cannot see it.
function inWords(site) {
  const peers = site.peers.map((peer) => {
    const links = peer.links.map((link) => `${link.text} ${WORDS[stateOf(link)]}`);
    return `Peer ${peer.name}: ${links.join(", ")}.`;
  });
  return `Site ${site.name}. ${peers.join(" ")}`;
}
