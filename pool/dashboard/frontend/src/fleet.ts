// What the API says of fleets and moves, as types.
import { percent } from "./format";

export interface Fact {
  kind: string;
  number: number;
  recorded_ms: number;
  replaces: number | null;
  says: Record<string, unknown>;
}

export interface Site {
  name: string;
  country: string;
  time_zone: string;
  host: string;
  region: string;
}

export interface SiteEvent {
  site: string;
  kind: string;
  wording: string;
  valid_from_ms: number;
  valid_to_ms: number | null;
}

// What happens at a site by what is announced, and what comes next there. Several sources may tell of one event.
export function atSite(site: string, events: SiteEvent[], nowMs: number): { now: string[]; next: SiteEvent | null } {
  const here = events.filter((each) => each.site === site);
  const past = here.filter((each) => each.valid_from_ms <= nowMs);
  const restored = Math.max(...past.filter((each) => each.kind === "restoration").map((each) => each.valid_from_ms));
  const holds = (each: SiteEvent) =>
    each.kind !== "restoration" &&
    (each.valid_to_ms === null || each.valid_to_ms > nowMs) &&
    !(each.valid_from_ms <= restored);
  const coming = here.filter((each) => each.valid_from_ms > nowMs);
  const first = Math.min(...coming.map((each) => each.valid_from_ms));
  return {
    now: [...new Set(past.filter(holds).map((each) => each.kind))],
    next: coming.find((each) => each.valid_from_ms === first) ?? null,
  };
}

export interface Contract {
  name: string;
  kind: string;
  steps: string;
  site: string;
  reserved_w: number;
}

// The steps of a contract, `net 500 host; left 100 tax:KZ; share @owner 80 partner 20`, for people.
export function stepsInWords(steps: string): string {
  const party = (name = "") => (name === "@owner" ? "the owner" : name);
  return steps
    .split(";")
    .map((step) => {
      const [what, ...rest] = step.trim().split(" ");
      const taken = percent(Number(rest[0]) / 10_000);
      if (what === "net") return `${taken} of all to ${party(rest[1])}`;
      if (what === "left") return `${taken} of what is left to ${party(rest[1])}`;
      if (rest.length === 2) return `the rest to ${party(rest[0])}`;
      const whole = rest.reduce((sum, each, at) => sum + (at % 2 ? Number(each) : 0), 0);
      const part = (at: number) => `${percent(Number(rest[at + 1]) / whole)} to ${party(rest[at])}`;
      return `of the rest ${rest.flatMap((_, at) => (at % 2 ? [] : [part(at)])).join(", ")}`;
    })
    .join("; ");
}

export interface Batch {
  name: string;
  model: string;
  machines: number;
  nominal_ghs: number;
  planned_ms: number | null;
}

export const STAGES = ["ordered", "in_transit", "delivered", "installed", "hashing", "retired"] as const;

export type Count = Record<(typeof STAGES)[number], number> & { batch: string };

export interface Assignment {
  account: string;
  pattern: string;
  fleet: string;
  site: string;
  batch: string;
  contract: string;
}

export interface Unmatched {
  account: string;
  worker: string;
}

export interface End {
  site: string;
  region: string;
  host: string;
  port: number;
}

export interface Rack {
  rack: string;
  counts: Record<string, number>;
  stragglers: string[];
  gone: string[];
}

export interface Move {
  name: string;
  state: string;
  account: string;
  pattern: string;
  origin: End;
  target: End | null; // a draft has none
  lacks: string[]; // of a draft: what a person has to say yet
  notice_ms: number | null; // when power ends where it begins, by what is announced now
  words: string;
  planned_ms: number;
  started_ms: number | null;
  start_ms: number | null;
  deadline_ms: number;
  late_ms: number;
  machines: number;
  counts: Record<string, number>;
  late: number;
  twice: string[];
  racks: Rack[];
  events: { key: string; step: string; time_ms: number; actor: string; reason: string }[];
}

export interface Machine {
  login: string;
  rack: string;
  status: string;
  tries: number;
  told_ms: number | null;
  gone_ms: number | null;
  arrived_ms: number | null;
  is_late: boolean;
}

export interface Alarm {
  kind: string;
  name: string;
  dark: number;
  machines: number;
  since_ms: number;
  parts: string[];
}

// A report as people read it. Times are Unix milliseconds; a point is (time, value).
export interface Paper {
  title: string;
  facts: [what: string, value: string][];
  tables: { title: string; columns: string[]; rows: string[][]; note: string }[];
  charts: {
    title: string;
    unit: string;
    lines: { name: string; points: [number, number][] }[];
    marks: [number, string][];
  }[];
}

// The time that a choice of the last days, or of a month of UTC, means now, as an address has it.
export function spanOf(choice: string, nowMs: number): { from: string; to: string } {
  const text = (ms: number) => new Date(ms).toISOString().replace(".000", "");
  const to = Math.floor(nowMs / 60_000) * 60_000;
  const now = new Date(to);
  const month = (back: number) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back);
  if (choice === "") return { from: "", to: "" };
  if (choice === "month") return { from: text(month(0)), to: text(to) };
  if (choice === "last-month") return { from: text(month(1)), to: text(month(0)) };
  return { from: text(to - Number(choice) * 86_400_000), to: text(to) };
}

// Columns for a chart: the times of all lines, and each line's value at each; a line goes on until its next point.
export function columns(lines: { points: [number, number][] }[]): [number[], ...(number | null)[][]] {
  const times = [...new Set(lines.flatMap((line) => line.points.map(([ms]) => ms)))].sort((one, two) => one - two);
  const values = lines.map((line) => {
    const at = new Map(line.points);
    return times.map((ms) => at.get(ms) ?? null);
  });
  return [times.map((ms) => ms / 1000), ...values];
}

// A number, an amount, a duration or a range of them; the page that prints has the same rule.
const AMOUNT = "[-−±]?\\d[\\d,.]*(?: ?(?:%|sat|kWh|[kMGTPEZ]?H/s|[kM]?W|[dhs]|min))?";
const NUMBER = new RegExp(`^(?:${AMOUNT}(?: (?:to )?${AMOUNT})*|10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$`);

// Cells that are numbers stand right.
export function isNumeric(rows: string[][], place: number): boolean {
  const cells = rows.map((row) => row[place] ?? "").filter((cell) => cell && cell !== "-" && cell !== "–");
  return cells.length > 0 && cells.every((cell) => NUMBER.test(cell));
}

// Of those that are known; null if none is.
export function sum(parts: (number | null | undefined)[]): number | null {
  const known = parts.filter((each) => each != null);
  return known.length ? known.reduce((one, two) => one + two, 0) : null;
}

// The rows of one kind, each with what it says.
export function said<Row>(facts: Fact[] | null | undefined, kind: string): Row[] {
  return (facts ?? []).filter((fact) => fact.kind === kind).map((fact) => fact.says as Row);
}

export function isOpen(move: Move): boolean {
  return ["draft", "planned", "running", "paused", "rolling_back"].includes(move.state);
}

// Those that are done or dropped come after those that somebody works on; else as they came.
export function openFirst(moves: Move[]): Move[] {
  return [...moves].sort((one, two) => Number(isOpen(two)) - Number(isOpen(one)));
}

// The part of a move's machines that is in each state, in the order of the way they go; states without any left out.
export const STATUSES = ["arrived", "gone", "told", "straggler", "stayed", "pending"];

export function progress(counts: Record<string, number>): { status: string; machines: number; part: number }[] {
  const all = STATUSES.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  return STATUSES.flatMap((status) => {
    const machines = counts[status] ?? 0;
    return machines ? [{ status, machines, part: machines / all }] : [];
  });
}

// Who a person must look after comes first: late ones, then stragglers, then those that are away.
export function byUrgency(machines: Machine[]): Machine[] {
  const rank = (each: Machine) => (each.is_late ? 0 : each.status === "straggler" ? 1 : 2);
  const inOrder = new Intl.Collator("en", { numeric: true }); // rack 2 before rack 10
  return [...machines].sort(
    (one, two) =>
      rank(one) - rank(two) || inOrder.compare(one.rack, two.rack) || inOrder.compare(one.login, two.login),
  );
}
