// SPDX-License-Identifier: GPL-3.0-or-later
// The open flows, with rates from what two readings of them tell.
import { byId, setList, setTable } from "./dom.js";
import { duration, plural, rate, size } from "./words.js";

const COLUMNS = [
  { title: "Protocol", className: "optional" },
  { title: "Here", className: "free" },
  { title: "Known as", className: "free optional" },
  { title: "There", className: "free" },
  { title: "Peer", className: "free" },
  { title: "Path", className: "optional" },
  { title: "Bytes", className: "number optional" },
  { title: "Rate", className: "number" },
  { title: "Age", className: "number optional" },
  { title: "State", className: "optional" },
];

/// When the last reading was made, and by the flow's number what it told: its bytes and, from the second one on, how
/// many a second.
let last = { at: 0, meters: new Map() };

/// null: they are not kept.
const bytesOf = ({ sent, received }) => (sent && received ? sent.bytes + received.bytes : null);

function measure({ at, listed }) {
  if (at === last.at) return;
  const meterOf = (flow) => {
    const bytes = bytesOf(flow);
    const before = last.meters.get(flow.id);
    const known = bytes !== null && before && before.bytes !== null;
    return { bytes, rate: known ? Math.max(0, bytes - before.bytes) / (at - last.at) : null };
  };
  last = { at, meters: new Map(listed.map((flow) => [flow.id, meterOf(flow)])) };
}

function end(address, port) {
  if (port === null) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function rowOf(flow) {
  const { bytes, rate: perSecond } = last.meters.get(flow.id);
  const called = flow.began === "there" || flow.began === "inside";
  return [
    flow.protocol.toUpperCase(),
    end(flow.real, flow.port),
    [flow.virtual, flow.name && `(${flow.name})`].filter(Boolean).join(" "),
    `${called ? "←" : "→"} ${end(flow.far, flow.far_port)}`,
    flow.peer || "",
    flow.path,
    bytes === null ? "" : size(bytes),
    perSecond === null ? "" : rate(perSecond),
    flow.age_seconds === null ? "" : duration(flow.age_seconds),
    (flow.state || "").replace("_", " "),
  ];
}

function notesOf({ count, listed }) {
  const missing = (what, name) => `${what} not kept; for new flows: sysctl -w net.netfilter.${name}=1`;
  const notes = [];
  if (count > listed.length) notes.push(`${plural(count, "flow")}; here are the ${listed.length} with the most bytes.`);
  else if (count > 0) notes.push(`${plural(count, "flow")}.`);
  if (listed.some((flow) => bytesOf(flow) === null)) notes.push(missing("Bytes are", "nf_conntrack_acct"));
  if (listed.some((flow) => flow.age_seconds === null)) notes.push(missing("The age is", "nf_conntrack_timestamp"));
  return notes;
}

const UNKNOWN = { at: 0, failure: "", count: 0, listed: [] };

export function showOpenFlows(flows) {
  const reading = flows || UNKNOWN;
  measure(reading);
  const none = reading.failure || (flows ? "No open flow." : "Not known yet.");
  setTable(byId("open-flows"), "Open flows", COLUMNS, reading.listed.map(rowOf), none);
  setList(byId("open-flow-notes"), notesOf(reading));
}
