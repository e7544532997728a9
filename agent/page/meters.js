// SPDX-License-Identifier: GPL-3.0-or-later
// Rates of interfaces, from counters that the agent tells again and again.
import { drawn } from "./dom.js";

const SAMPLES = 60;

/// By name: the last counters, rates in bytes a second, their history and its picture.
const meters = new Map();

export const meterOf = (name) => meters.get(name);

export function measure(interfaces, now) {
  for (const { name, received, sent } of interfaces) {
    if (!meters.has(name)) meters.set(name, newMeter());
    const meter = meters.get(name);
    if (meter.last) {
      const seconds = (now - meter.last.now) / 1000;
      // An interface that came anew counts from nothing.
      meter.received = Math.max(0, received - meter.last.received) / seconds;
      meter.sent = Math.max(0, sent - meter.last.sent) / seconds;
      meter.history.push(meter.received + meter.sent);
      if (meter.history.length > SAMPLES) meter.history.shift();
      drawHistory(meter);
    }
    meter.last = { now, received, sent };
  }
}

function newMeter() {
  const view = { class: "spark", viewBox: `0 0 ${SAMPLES} 20`, preserveAspectRatio: "none", "aria-hidden": "true" };
  return { received: 0, sent: 0, history: [], picture: drawn("svg", view, drawn("polyline", {})) };
}

function drawHistory({ history, picture }) {
  const top = Math.max(...history, 1000);
  const first = SAMPLES - history.length;
  const points = history.map((value, i) => `${first + i},${(19 - (18 * value) / top).toFixed(1)}`);
  picture.firstChild.setAttribute("points", points.join(" "));
}
