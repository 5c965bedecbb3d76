import { expect, test } from "vitest";

import type { Health } from "../src/api";
import { type History, inWords, moments, series } from "../src/history";
import { verdict, wrongFirst } from "../src/verdict";

const history = (cells: History["cells"]): History => ({ step_seconds: 60, cells, unavailable: {} });

test("the band never goes below zero", () => {
  const cells = [{ start_ms: 60_000, hps: 10, error: 1.5, accepted: 1, rejected: 0 }];
  expect(series(history(cells))).toEqual([[60], [10], [0], [20]]);
});

test("a span without shares is said in words", () => {
  expect(inWords(history([]))).toBe("No share in this span.");
  expect(inWords({ ...history([]), unavailable: { redis: "away" } })).toBe("Not known now.");
});

test("the words name mean, highest and rejects", () => {
  const cells = [
    { start_ms: 0, hps: 1e12, error: 0.1, accepted: 99, rejected: 1 },
    { start_ms: 60_000, hps: 3e12, error: 0.1, accepted: 99, rejected: 1 },
  ];
  expect(inWords(history(cells))).toContain("Mean 2.00 TH/s, highest 3.00 TH/s within 1 min, 1.0\u202F% of the shares");
});

test("one part that is down outweighs those that need a look", () => {
  const check = (state: "ok" | "warn" | "down") => ({ name: "a", state, text: "", mend: null });
  const health = (...states: ("ok" | "warn" | "down")[]): Health => ({ ready: true, checks: states.map(check) });
  expect(verdict(health("ok", "warn", "down")).state).toBe("down");
  expect(verdict(health("ok", "warn")).text).toBe("Needs a look");
  expect(verdict(health("ok")).text).toBe("All well");
});

test("what is wrong stands first, the worst of it on top, and the rest as it came", () => {
  const checks = ["ok", "warn", "unknown", "ok", "down"].map((state, place) => ({ state, place }));
  expect(wrongFirst(checks).map((check) => check.place)).toEqual([4, 2, 1, 0, 3]);
});

test("ticks are in UTC, as all other times", () => {
  expect(moments([1_624_000_000, 1_624_003_600])).toEqual(["07:06", "08:06"]);
});

test("a tick where a day begins says which, since hours of several days look alike", () => {
  expect(moments([1_624_665_600 - 3600, 1_624_665_600, 1_624_665_600 + 3600])).toEqual(["23:00", "26 Jun", "01:00"]);
});
