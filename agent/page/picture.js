// SPDX-License-Identifier: GPL-3.0-or-later
// This site, its peers, and a line for each link.
import { byId, drawn, element, setText } from "./dom.js";
import { meterOf } from "./meters.js";
import { rate } from "./words.js";

const WORDS = { used: "used", standby: "stands by", down: "down" };
/// Pixels of a line with what is written at it.
const LANE = 46;
/// Bytes a second from which on a line moves.
const BUSY = 500;

let drawnOf = "";
/// Of the links drawn, in order: where the rate stands, and what moves.
let drawnLinks = [];

export function showPicture(data) {
  const place = byId("picture");
  const width = Math.max(280, Math.round(place.clientWidth));
  const shape = JSON.stringify([width, data.site.name, data.site.lan, data.site.peers]);
  if (shape !== drawnOf) {
    drawnOf = shape;
    draw(place, data.site, width);
  }
  let i = 0;
  for (const peer of data.site.peers)
    for (const link of peer.links) {
      const { text, pulse } = drawnLinks[i++];
      const bytes = rateOf(data, peer, link);
      setText(text, bytes === null ? "" : rate(bytes));
      pulse.setAttribute("class", link.used && bytes > BUSY ? "pulse" : "pulse idle");
    }
}

const stateOf = (link) => (link.used ? "used" : link.usable ? "standby" : "down");

/// Bytes a second of a link's own; null where they cannot be told from those of others.
function rateOf(data, peer, link) {
  if (link.kind === "dev") {
    const sharing = data.site.peers.filter((other) => other.links.some((l) => l.interface === link.interface));
    const meter = meterOf(link.interface);
    return sharing.length === 1 && meter ? meter.received + meter.sent : null;
  }
  if (!data.tunnel) return null;
  // Datagrams are told by peer alone.
  const ways = [`peer ${peer.name} by ${link.text}`, ...(link.used ? [`peer ${peer.name}`] : [])];
  return data.tunnel.ways
    .filter(({ way }) => ways.includes(way))
    .reduce((sum, way) => sum + way.to_far_per_second + way.to_client_per_second, 0);
}

/// Text of at most so many pixels.
function cut(text, width, letter) {
  const most = Math.max(4, Math.floor(width / letter));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function label(x, y, className, text, anchor = "start") {
  return drawn("text", { x, y, class: className, "text-anchor": anchor }, text);
}

/// Where the site and its peers stand: beside one another, or on a narrow screen the site above.
function layOut(site, width) {
  const narrow = width < 620;
  const peerWidth = narrow ? 112 : Math.min(260, width * 0.28);
  let y = narrow ? 79 : 1;
  const peers = site.peers.map((peer) => {
    const height = Math.max(68, peer.links.length * LANE + 8);
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
  drawnLinks = [];
  for (const { peer, box } of peers) {
    peer.links.forEach((link, i) => {
      drawLink(svg, link, own, box, box.y + (box.height * (i + 0.5)) / peer.links.length, narrow);
    });
    drawPeer(svg, peer, box);
  }
  svg.append(drawn("rect", { ...own, rx: 10, class: "box own" }));
  const middle = own.y + own.height / 2;
  svg.append(label(own.x + 16, middle - 4, "title", cut(site.name, own.width - 32, 8.6)));
  svg.append(label(own.x + 16, middle + 16, "small", cut(site.lan.join(", "), own.width - 32, 7)));
  place.replaceChildren(svg);
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
  const room = (box.x - begin - 22) * (narrow ? 1 : 0.7);
  const pulse = drawn("path", { d: path, class: "pulse idle" });
  const text = label(box.x - 12, narrow ? y + 18 : y - 8, "small", "", "end");
  svg.append(
    drawn("path", { d: path, class: `wire ${state}` }),
    pulse,
    drawn("circle", { cx: box.x, cy: y, r: 4, class: `end ${state}` }),
    label(begin + 10, y - 8, "", cut(link.text, room, narrow ? 7 : 7.4)),
    label(begin + 10, y + 18, `small ${state === "down" ? "bad" : ""}`, WORDS[state]),
    text,
  );
  drawnLinks.push({ text, pulse });
}

function drawPeer(svg, peer, box) {
  const reached = peer.links.some((link) => link.used);
  svg.append(drawn("rect", { ...box, rx: 10, class: reached ? "box" : "box bad" }));
  let lines = peer.virtual.slice(0, 2);
  if (peer.virtual.length > 2) lines[1] = `and ${peer.virtual.length - 1} more`;
  if (!reached) lines = ["not reached"];
  let y = box.y + box.height / 2 - lines.length * 9 + 5;
  svg.append(label(box.x + 14, y, "title", cut(peer.name, box.width - 26, 8.6)));
  for (const line of lines) {
    y += 19;
    svg.append(label(box.x + 14, y, reached ? "small" : "small bad", cut(line, box.width - 24, 6.9)));
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
