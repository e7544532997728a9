// SPDX-License-Identifier: GPL-3.0-or-later
// Shows what /status.json tells, again and again.
import { byId, element, setList, setTable, setText } from "./dom.js";
import { showOpenFlows } from "./flows.js";
import { measure, meterOf } from "./meters.js";
import { showPicture } from "./picture.js";
import { duration, plural, rate, size, timeOf } from "./words.js";

// Milliseconds.
const INTERVAL = 2000;
const PATIENCE = 6000;

const isReached = (peer) => peer.links.some((link) => link.used);

/// What somebody should look at, the worst first: [weight, text].
function alertsOf({ agent, site, trial, tunnel }) {
  const alerts = [];
  const bad = (text) => alerts.push(["bad", text]);
  const warn = (text) => alerts.push(["warn", text]);
  if (agent.failure) bad(`The agent cannot do its work: ${agent.failure}`);
  if (agent.fighting) bad("Another program undoes the agent's work again and again; the events name it.");
  for (const { name, process } of agent.programs) if (!process) bad(`${name} does not run, and is started again.`);
  if (site && site.uses_tunnel && !tunnel) bad("natctl-tunnel does not run: systemctl start natctl-tunnel");
  for (const peer of site ? site.peers : [])
    if (!isReached(peer)) bad(`No link to peer ${peer.name}: flows to it are refused.`);
  if (trial) {
    const left = duration(trial.seconds_left);
    warn(`On trial, the former state comes back in ${left}: natctl confirm keeps this one.`);
  }
  for (const { failure } of agent.http) if (failure) warn(failure);
  for (const { name, failure } of agent.names) if (failure) warn(`${name} does not resolve: ${failure}`);
  return alerts;
}

function showAlerts(alerts) {
  const place = byId("alerts");
  const texts = JSON.stringify(alerts);
  if (place.dataset.texts === texts) return;
  place.dataset.texts = texts;
  place.replaceChildren(...alerts.map(([weight, text]) => element("p", `alert ${weight}`, text)));
}

function setState(weight, text) {
  byId("state").className = `state ${weight}`;
  setText(byId("state-text"), text);
}

function programInWords({ name, process, restarts }) {
  return `${name} (process ${process}${restarts ? `, restarted ${plural(restarts, "time")}` : ""})`;
}

function showHead(data) {
  const { agent, site, release } = data;
  const alerts = alertsOf(data);
  showAlerts(alerts);
  if (alerts.some(([weight]) => weight === "bad")) setState("bad", "Something is wrong");
  else if (!site) setState("warn", "Nothing is applied");
  else if (alerts.length) setState("warn", "In place, with something to look at");
  else setState("good", "Everything is in place");
  setText(byId("title"), site ? `Site ${site.name}` : "natctl");
  const title = site ? `${site.name} · natctl` : "natctl";
  if (document.title !== title) document.title = title;
  const work = `${plural(agent.looks, "look")}, ${plural(agent.changes, "change")}`;
  const programs = agent.programs.filter(({ process }) => process).map(programInWords);
  setText(
    byId("figures"),
    `natctl-agent ${release}, running for ${duration(agent.seconds)}: ${work}, ` +
      `${agent.repairs} of them put back what others took away.` +
      (programs.length ? ` It runs ${programs.join(" and ")}.` : ""),
  );
}

const FLOWS = [
  { title: "Way", className: "free" },
  { title: "Open", className: "number" },
  { title: "There", className: "number" },
  { title: "Back", className: "number" },
  { title: "In all", className: "number optional" },
];

function showFlows({ site, tunnel }) {
  byId("flows-section").hidden = !tunnel && !site.uses_tunnel;
  const { ways, proxies, drops, failures } = tunnel || { ways: [], proxies: [], drops: [], failures: [] };
  const rows = ways.map((way) => [
    `${way.way}, ${way.protocol.toUpperCase()}`,
    String(way.open),
    rate(way.to_far_per_second),
    rate(way.to_client_per_second),
    size(way.bytes_to_far + way.bytes_to_client),
  ]);
  setTable(byId("flows"), "Flows of the tunnel", FLOWS, rows, tunnel ? "No flow yet." : "natctl-tunnel does not run.");
  const worst = [...failures].sort((a, b) => b.count - a.count).slice(0, 5);
  setList(byId("flow-notes"), [
    ...proxies
      .filter((proxy) => !proxy.up)
      .map((proxy) => `socks5 ${proxy.server} is down since ${duration(proxy.seconds)}: ${proxy.cause}`),
    ...drops.map((drop) => `${plural(drop.count, "datagram")} dropped: ${drop.cause}`),
    ...worst.map(({ count, way, cause }) => `${count} failed${way ? `, ${way}` : ""}: ${cause}`),
  ]);
}

const INTERFACES = [
  { title: "Name" },
  { title: "State" },
  { title: "Received", className: "number" },
  { title: "Sent", className: "number" },
  { title: "Two minutes", className: "number optional" },
];

function showInterfaces({ interfaces }) {
  const rows = interfaces.map(({ name, up }) => {
    const { received, sent, picture } = meterOf(name);
    const state = up ? { text: "up", className: "good-ink" } : { text: "down", className: "bad-ink" };
    return [name, state, rate(received), rate(sent), picture];
  });
  setTable(byId("interfaces"), "Interfaces", INTERFACES, rows, "None.");
}

const MAPS = [{ title: "Virtual" }, { title: "Real" }, { title: "Name" }];

function showMaps(site) {
  const rows = site.maps.map((map) => [map.virtual, map.real.join(", "), map.name]);
  const more = site.maps_in_all - site.maps.length;
  if (more > 0) rows.push([`and ${more} more`, "", ""]);
  setTable(byId("maps"), "Maps", MAPS, rows, "None: no peer can reach a host of this site.");
}

const NAMES = [{ title: "Name", className: "free" }, { title: "Addresses" }, { title: "State" }];

function showNames(names) {
  byId("names-section").hidden = names.length === 0;
  const rows = names.map(({ name, addresses, failure }) => [
    name,
    addresses.join(", ") || "none",
    failure ? { text: failure, className: "warn-ink" } : { text: "resolves", className: "good-ink" },
  ]);
  setTable(byId("names"), "Names", NAMES, rows, "None.");
}

const INK = { info: "soft", warning: "warn-ink", error: "bad-ink" };

function eventItem(event) {
  const time = element("time", "", timeOf(event.time));
  time.dateTime = event.time;
  const weight = element("span", `tag ${INK[event.weight] || "soft"}`, event.weight);
  return element("li", "", time, weight, element("span", "text", event.text));
}

function showEvents(events) {
  const place = byId("events");
  const texts = JSON.stringify(events);
  if (place.dataset.texts === texts) return;
  place.dataset.texts = texts;
  const items = [...events].reverse().map(eventItem);
  place.replaceChildren(...(items.length ? items : [element("li", "empty", "Nothing yet.")]));
}

function show(data) {
  document.body.classList.remove("stale");
  showHead(data);
  showEvents(data.agent.events);
  for (const section of document.querySelectorAll(".of-site")) section.hidden = !data.site;
  showNames(data.agent.names);
  if (!data.site) return;
  measure(data.site.interfaces, performance.now());
  showPicture(data);
  showOpenFlows(data.flows);
  showFlows(data);
  showInterfaces(data.site);
  showMaps(data.site);
}

let last = null;
let timer = 0;

async function ask() {
  clearTimeout(timer);
  try {
    const response = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(response.statusText);
    last = await response.json();
    show(last);
  } catch {
    document.body.classList.add("stale");
    setState("bad", "The agent does not answer");
  }
  if (!document.hidden) timer = setTimeout(ask, INTERVAL);
}

document.addEventListener("visibilitychange", () => document.hidden || ask());
window.addEventListener("resize", () => last && last.site && showPicture(last));
ask();
