// What an operator orders about moves.
import type { Move } from "../fleet";
import { count, moment } from "../format";
import type { Known } from "./known";
import { type Field, number, type Spec } from "./spec";

export interface Planned {
  name: string;
  due: { login: string; rack: string; at_ms: number }[];
  note: string;
}

const LISTED = 200;

const REASON: Field = { name: "reason", label: "Why; it is kept", optional: true };

export function dueInWords(planned: Planned): string {
  const [first, last] = [planned.due[0], planned.due.at(-1)];
  const note = planned.note ? ` ${planned.note}.` : "";
  if (!first || !last) return `No machine would be told.${note}`;
  const machines = `${count(planned.due.length)} machine${planned.due.length === 1 ? "" : "s"}`;
  const until = first === last ? "" : `, the last at ${moment(last.at_ms)}`;
  return `${machines} would be told to go, the first at ${moment(first.at_ms)}${until}.${note}`;
}

export function dueLines(planned: Planned): string[] {
  const shown = planned.due.slice(0, LISTED).map((each) => `${moment(each.at_ms)}  ${each.login}`);
  const more = planned.due.length - shown.length;
  return [dueInWords(planned), ...shown, ...(more > 0 ? [`and ${count(more)} more`] : [])];
}

interface Step {
  verb: string;
  title: string;
  says: (move: Move) => string;
  look?: string;
}

const STEPS: Record<string, Step> = {
  start: {
    verb: "start",
    title: "Start the move",
    says: (move) => `Machines of ${move.account} are told to go from ${move.origin.site} to ${move.target?.site ?? "?"}.`,
    look: "due",
  },
  pause: {
    verb: "pause",
    title: "Pause",
    says: () => "Nobody more is told to go, and nobody is reset, until it is resumed.",
  },
  resume: { verb: "resume", title: "Resume", says: () => "It goes on with the next machine.", look: "due" },
  rollback: {
    verb: "rollback",
    title: "Roll back",
    says: (move) => `Who was told to go is told to come back to ${move.origin.site}; who was not stays.`,
    look: "due-back",
  },
};

const IN_STATE: Record<string, string[]> = {
  planned: ["start", "rollback"],
  running: ["pause", "rollback"],
  paused: ["resume", "rollback"],
};

export function moveOrders(move: Move): Spec[] {
  const path = `/api/v1/moves/${encodeURIComponent(move.name)}`;
  if (move.state === "draft") return [planOrder(move), dropOrder(move, path)];
  const orders = (IN_STATE[move.state] ?? []).flatMap((name): Spec[] => {
    const step = STEPS[name];
    if (!step) return [];
    return [
      {
        title: step.title,
        says: step.says(move),
        path: `${path}/${step.verb}`,
        fields: [REASON],
        body: ({ reason }, key) => ({ reason, key }),
        ...(step.look ? { look: { path: `${path}/${step.look}`, words: dueInWords } } : {}),
      },
    ];
  });
  if (["running", "paused", "rolling_back"].includes(move.state)) {
    const missing = move.machines - (move.counts.arrived ?? 0) - (move.counts.stayed ?? 0);
    orders.push({
      title: "Close it",
      says:
        `It is done. ${count(missing)} of ${count(move.machines)} machines are missing` +
        (missing ? ": they stay in its list, and it is refused unless you say so." : "."),
      path: `${path}/close`,
      fields: [REASON, { name: "force", label: "Though machines are missing", kind: "check", optional: true }],
      body: ({ reason, force }, key) => ({ reason, key, force: force === "true" }),
    });
  }
  return orders;
}

function text(name: string, label: string, initial = "", optional = false): Field {
  return { name, label, initial, optional };
}

function named(known: Known, field: Field): Field {
  return { ...field, known };
}

function planBody(values: Record<string, string>): Record<string, unknown> {
  const { tolerance, wait, grace, ...rest } = values;
  return {
    ...rest,
    tolerance_minutes: number(tolerance) ?? 60,
    wait_seconds: number(wait) ?? 0,
    grace_seconds: number(grace) ?? 10,
  };
}

function dropOrder(draft: Move, path: string): Spec {
  return {
    title: "Drop it",
    says: `The machines of ${draft.account} stay at ${draft.origin.site}, or somebody else sees to them.`,
    path: `${path}/close`,
    fields: [{ name: "reason", label: "Why; it is kept" }],
    body: ({ reason }, key) => ({ reason, key }),
  };
}

// A new move, or one that a notice opened: that one says who leaves from where.
export function planOrder(draft?: Move): Spec {
  const who = [
    text("name", "Name of the move"),
    named("accounts", text("account", "Account: whose machines")),
    named("patterns", text("workers", "Which workers: a pattern, as sc-*", "*")),
    named("places", text("origin", "From site or region")),
  ];
  const body = (values: Record<string, string>) => planBody(draft ? { ...values, name: draft.name } : values);
  return {
    title: draft ? "Plan it" : "Plan a move",
    says: "Nobody is told anything before it starts. A dry run says who would be told when, and keeps nothing.",
    path: "/api/v1/moves",
    fields: [
      ...(draft ? [] : who),
      named("places", text("target", "To site or region")),
      text("pace", "Pace: 20/min, or waves as 10%/15min", "10%/15min"),
      text("deadline", "When the old site goes dark, as 2026-12-01T09:00+08:00; empty: its next notice", "", true),
      text("planned_on", "When all should mine at the new one; empty: the deadline", "", true),
      text("start", "Begins by itself then; empty: when somebody starts it", "", true),
      { name: "tolerance", label: "Minutes until a machine is late", kind: "whole", initial: "60" },
      { name: "wait", label: "Seconds that miners are told to wait", kind: "whole", initial: "0" },
      { name: "grace", label: "Seconds until who stays is reset", kind: "whole", initial: "10" },
      named("endpoints", text("origin_endpoint", "Old endpoint, HOST:PORT; empty: as its region says", "", true)),
      named("endpoints", text("target_endpoint", "New endpoint, HOST:PORT; empty: as its region says", "", true)),
      text("words", "The notice in its own words, for the record", "", true),
    ],
    body,
    trial: {
      title: "Dry run",
      body: (values) => ({ ...body(values), dry_run: true }),
      lines: ({ planned }: { planned: Planned }) => dueLines(planned),
    },
  };
}

export interface Stray {
  login: string;
  account: string;
  from_region: string;
  to_region: string;
  seen_ms: number;
}

// Those of one account: they are confirmed together.
export interface StrayAccount {
  account: string;
  workers: number;
  ways: string[];
  seen_ms: number;
}

// Whose came last stand first.
export function byAccount(strays: Stray[]): StrayAccount[] {
  const found = [...new Set(strays.map((each) => each.account))].map((account) => {
    const own = strays.filter((each) => each.account === account);
    return {
      account,
      workers: new Set(own.map((each) => each.login)).size,
      ways: [...new Set(own.map((each) => `${each.from_region} to ${each.to_region}`))],
      seen_ms: Math.max(...own.map((each) => each.seen_ms)),
    };
  });
  return found.sort((one, two) => two.seen_ms - one.seen_ms);
}

export function confirmOrder({ account, workers, ways }: StrayAccount): Spec {
  return {
    title: `Confirm ${account}`,
    facts: [
      ["Account", account],
      ["Workers", `all ${count(workers)} that are told of`],
      ["Came on", ways.join(", ")],
    ],
    says:
      `${count(workers)} worker${workers === 1 ? "" : "s"} of ${account} came on in another region without a planned ` +
      "move. Somebody knows that they belong there: the address of the account may be changed again.",
    path: `/api/v1/strays/${encodeURIComponent(account)}/confirm`,
    body: () => ({}),
  };
}
