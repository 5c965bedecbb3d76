// Numbers, amounts and times in words for people. Pure functions; everything unknown is an en dash.

import type { Rate } from "./api";

export const UNKNOWN = "–";

const NARROW = "\u202F"; // between a number and its percent sign
const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
const GROUPED = new Intl.NumberFormat("en-US");
const SATOSHI_PER_BTC = 100_000_000;

// Three significant digits say as much as any estimate from shares knows; the headline has four.
export function scaled(value: number | null | undefined, digits = 3): string {
  if (value == null) return UNKNOWN;
  if (value === 0) return "0";
  let power = 0;
  let rest = value;
  while (Number(rest.toPrecision(digits)) >= 1000 && power < PREFIXES.length - 1) {
    rest /= 1000;
    power += 1;
  }
  const whole = Math.max(1, Math.floor(Math.log10(Math.max(Number(rest.toPrecision(digits)), 1))) + 1);
  const text = rest < 0.1 ? String(Number(rest.toPrecision(digits))) : rest.toFixed(Math.max(0, digits - whole));
  return `${text} ${PREFIXES[power] ?? ""}`.trimEnd();
}

export function hashrate(hps: number | null | undefined, digits = 3): string {
  if (hps == null) return UNKNOWN;
  const text = scaled(hps, digits);
  return /[a-zA-Z]$/.test(text) ? `${text}H/s` : `${text} H/s`;
}

// One standard deviation. Without shares there is nothing to be right or wrong about.
export function error(rate: Rate | null | undefined): string {
  if (rate == null || rate.error == null || rate.hps === 0) return "";
  if (rate.error >= 1) return `±100${NARROW}%`;
  return `±${percent(rate.error)}`;
}

export function percent(ratio: number | null | undefined): string {
  if (ratio == null) return UNKNOWN;
  const value = ratio * 100;
  if (value === 0) return `0${NARROW}%`;
  if (value < 0.01) return `<0.01${NARROW}%`;
  // All but one of many is not all of them.
  if (value < 100 && value >= 99.95) return `>99.9${NARROW}%`;
  if (value < 100 && value >= 99.5) return `${value.toFixed(1)}${NARROW}%`;
  return `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : value.toFixed(0)}${NARROW}%`;
}

export function count(number: number | null | undefined): string {
  return number == null ? UNKNOWN : GROUPED.format(number);
}

export function btc(sat: number | null | undefined): string {
  if (sat == null) return UNKNOWN;
  const size = Math.abs(sat);
  const fraction = String(size % SATOSHI_PER_BTC).padStart(8, "0");
  return `${sat < 0 ? "−" : ""}${GROUPED.format(Math.floor(size / SATOSHI_PER_BTC))}.${fraction}`;
}

// Picosatoshi come as text, since they pass what a JavaScript number holds.
export function psat(text: string): string {
  const digits = text.padStart(13, "0");
  return `${GROUPED.format(BigInt(digits.slice(0, -12)))}.${digits.slice(-12, -9)} sat`;
}

export function fee(basisPoints: number | null | undefined): string {
  return basisPoints == null ? UNKNOWN : `${(basisPoints / 100).toFixed(2)}${NARROW}%`;
}

export function duration(seconds: number | null | undefined): string {
  if (seconds == null) return UNKNOWN;
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(seconds < 1 && seconds > 0 ? 1 : 0)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return two(seconds, 60, "min", 1, "s", 10);
  if (seconds < 86_400) return two(seconds, 3600, "h", 60, "min", 24);
  if (seconds < 365 * 86_400) return two(seconds, 86_400, "d", 3600, "h", 10);
  return `${scaled(seconds / (365.25 * 86_400), 2)} years`;
}

// Two units while the first is small, one when the second says nothing any more.
function two(seconds: number, big: number, bigName: string, small: number, smallName: string, limit: number): string {
  const whole = Math.floor(seconds / big);
  const rest = Math.floor((seconds % big) / small);
  return whole < limit && rest > 0 ? `${whole} ${bigName} ${rest} ${smallName}` : `${whole} ${bigName}`;
}

export function age(sinceMs: number | null | undefined, nowMs: number): string {
  if (sinceMs == null) return UNKNOWN;
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  return seconds < 1 ? "now" : `${duration(seconds)} ago`;
}

// How long until then, or since: a deadline is read as what is left of it.
export function distance(timeMs: number, nowMs: number): string {
  const seconds = Math.floor((timeMs - nowMs) / 1000);
  const text = seconds > 0 ? `in ${duration(seconds)}` : age(timeMs, nowMs);
  return text.replaceAll(" ", "\u00A0");
}

// In a table one unit is enough, and the column keeps its width.
export function shortAge(sinceMs: number | null | undefined, nowMs: number): string {
  const text = age(sinceMs, nowMs);
  return text.replace(/^(\d+ \S+) \d+ \S+ ago$/, "$1 ago");
}

export function moment(timeMs: number | null | undefined): string {
  return timeMs == null ? UNKNOWN : new Date(timeMs).toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

// Times of reports, which programs read too, as the page writes all others.
export function readable(text: string): string {
  return text.replace(/(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::00|(:\d\d))(?:\.\d+)?Z/g, "$1 $2$3 UTC");
}

// A block hash begins with zeros that all share; its end tells blocks apart.
export function shortHash(hex: string | null | undefined): string {
  return hex == null ? UNKNOWN : `${hex.slice(0, 6)}…${hex.slice(-10)}`;
}

export function words(identifier: string): string {
  return identifier.replace(/[_.]/g, " ");
}

export function title(identifier: string): string {
  const text = words(identifier);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// A scheme as people write it: FPPS, PPS+.
export function schemeName(scheme: string): string {
  return scheme.toUpperCase().replace("_PLUS", "+");
}

// A name as text is harmless but may still deceive: control characters and those that turn the writing direction show.
export function visible(name: string): string {
  return name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

// Of sites and machines.
export function power(watts: number | null | undefined): string {
  return watts == null ? UNKNOWN : `${scaled(watts)}W`.replace(/(\d)W$/, "$1 W");
}

export function bytes(size: number | null | undefined): string {
  return size == null ? UNKNOWN : `${(size / 2 ** 30).toFixed(size < 10 * 2 ** 30 ? 1 : 0)} GiB`;
}
