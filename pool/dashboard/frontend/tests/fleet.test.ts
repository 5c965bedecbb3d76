import { describe, expect, test } from "vitest";

import {
  atSite,
  byUrgency,
  columns,
  type Fact,
  isNumeric,
  type Machine,
  type Move,
  openFirst,
  progress,
  said,
  type SiteEvent,
  spanOf,
  stepsInWords,
} from "../src/fleet";
import { isStacked, missing } from "../src/parts";
import { placeOf } from "../src/verdict";

const machine = (login: string, status: string, rack = "r1", is_late = false): Machine => ({
  login,
  rack,
  status,
  tries: 1,
  told_ms: null,
  gone_ms: null,
  arrived_ms: null,
  is_late,
});

describe("facts", () => {
  test("of one kind are what they say", () => {
    const fact = (kind: string, name: string): Fact => ({
      kind,
      number: 1,
      recorded_ms: 0,
      replaces: null,
      says: { name },
    });
    const facts = [fact("site", "sichuan"), fact("capacity", "sichuan"), fact("site", "ekibastuz")];
    expect(said<{ name: string }>(facts, "site").map((each) => each.name)).toEqual(["sichuan", "ekibastuz"]);
  });

  test("that are not known are none", () => {
    expect(said(null, "site")).toEqual([]);
    expect(said(undefined, "site")).toEqual([]);
  });
});

describe("a move's progress", () => {
  test("goes from those that have arrived to those that were not told, and leaves out what is none", () => {
    const parts = progress({ pending: 1, told: 0, gone: 1, arrived: 2, straggler: 0, stayed: 0 });
    expect(parts.map((each) => [each.status, each.machines, each.part])).toEqual([
      ["arrived", 2, 0.5],
      ["gone", 1, 0.25],
      ["pending", 1, 0.25],
    ]);
  });

  test("of no machine is empty", () => {
    expect(progress({})).toEqual([]);
  });
});

describe("who waits for a person", () => {
  test("is late first, then stayed behind, then on its way", () => {
    const machines = [
      machine("b", "gone"),
      machine("c", "straggler", "r10"),
      machine("d", "straggler", "r2"),
      machine("e", "gone", "r9", true),
    ];
    expect(byUrgency(machines).map((each) => each.login)).toEqual(["e", "d", "c", "b"]);
  });
});

describe("moves", () => {
  test("that somebody works on come first, else as they came", () => {
    const moves = ["closed", "draft", "dropped", "rolling_back", "running"].map((state) => ({ state }) as Move);
    expect(openFirst(moves).map((each) => each.state)).toEqual([
      ...["draft", "rolling_back", "running"],
      ...["closed", "dropped"],
    ]);
  });
});

describe("a chart", () => {
  test("has the times of all its lines, and nothing where a line has no point", () => {
    const lines: { points: [number, number][] }[] = [
      { points: [[1000, 5], [3000, 7]] },
      { points: [[2000, 9]] },
    ];
    expect(columns(lines)).toEqual([
      [1, 2, 3],
      [5, null, 7],
      [null, 9, null],
    ]);
  });
});

describe("a column", () => {
  test("of numbers, with or without a unit, stands right; one of words does not", () => {
    const rows = [
      ["kz", "1,234", "5 %", "2021-06-19", "7 d 17 h", "18.17 PH/s to 18.23 PH/s", "10⁻¹⁸⁵"],
      ["tx", "-", "12.5 %", "2021-07-01", "0 s", "319 to 321", "10⁻⁷"],
    ];
    expect([0, 1, 2, 3, 4, 5, 6].map((place) => isNumeric(rows, place))).toEqual([
      ...[false, true, true, false],
      ...[true, true, true],
    ]);
  });
});

describe("a span of a report", () => {
  const now = Date.UTC(2026, 0, 15, 8, 30, 12, 345);

  test("is of the last days, up to this minute", () => {
    expect(spanOf("7", now)).toEqual({ from: "2026-01-08T08:30:00Z", to: "2026-01-15T08:30:00Z" });
  });
  test("is this month, or the whole one before, of UTC", () => {
    expect(spanOf("month", now)).toEqual({ from: "2026-01-01T00:00:00Z", to: "2026-01-15T08:30:00Z" });
    expect(spanOf("last-month", now)).toEqual({ from: "2025-12-01T00:00:00Z", to: "2026-01-01T00:00:00Z" });
  });
  test("that nobody chose is the report's own", () => {
    expect(spanOf("", now)).toEqual({ from: "", to: "" });
  });
});

describe("a table on a phone", () => {
  test("is a list of cards while it is short and too wide", () => {
    expect([isStacked(4, 8), isStacked(15, 4), isStacked(16, 4), isStacked(4, 3), isStacked(0, 7)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("the steps of a contract", () => {
  const plain = (steps: string) => stepsInWords(steps).replaceAll("\u202F", "");

  test("are said in percent", () => {
    expect(plain("net 500 host; share @owner 1")).toBe("5.0% of all to host; the rest to the owner");
    expect(plain("net 450 op; left 100 tax:KZ; share @owner 8000 partner 2000")).toBe(
      "4.5% of all to op; 1.0% of what is left to tax:KZ; of the rest 80% to the owner, 20% to partner",
    );
  });
});

describe("what happens at a site", () => {
  const event = (kind: string, from: number, to: number | null = null, site = "ganzi"): SiteEvent => ({
    site,
    kind,
    wording: "",
    valid_from_ms: from,
    valid_to_ms: to,
  });

  test("is what holds now, told once however many sources tell it", () => {
    const told = [event("suspension", 5), event("suspension", 6), event("curtailment", 1, 9), event("closure", 5, null, "x")];
    expect(atSite("ganzi", told, 10)).toEqual({ now: ["suspension"], next: null });
  });
  test("ends with its restoration", () => {
    expect(atSite("ganzi", [event("suspension", 5), event("restoration", 8)], 10).now).toEqual([]);
    expect(atSite("ganzi", [event("suspension", 9), event("restoration", 8)], 10).now).toEqual(["suspension"]);
  });
  test("and the first of what is announced", () => {
    const later = event("closure", 30);
    const sooner = event("curtailment", 20);
    expect(atSite("ganzi", [later, sooner], 10)).toEqual({ now: [], next: sooner });
  });
});

describe("rows that are not here", () => {
  test("come, or are not known: only an answer says that there are none", () => {
    expect(missing({ value: null, problem: null })).toBe("loading");
    expect(missing({ value: null, problem: "refused" })).toBe("unknown");
    expect(missing({ value: {}, problem: null }, null)).toBe("unknown");
    expect(missing({ value: {}, problem: null }, [])).toBe(null);
  });
});

test("a check leads to the page that has more of it, else to health", () => {
  expect(["fleet", "moves", "ledger", "redis"].map(placeOf)).toEqual(["fleets", "moves", "payouts", "health"]);
});
