import { describe, expect, test } from "vitest";

import { type Credential, revokeOrder } from "../src/orders/access";
import type { Session } from "../src/session";

const NOW_MS = 1_000_000;
const ANNA = { who: "operator:anna", role: "operator" } as Session;

function held(kind: string, more: Partial<Credential> = {}): Credential {
  return {
    id: 4,
    kind,
    name: "noc",
    scope: "site:ganzi",
    rights: ["read"],
    created_ms: 0,
    until_ms: null,
    made_by: "cli:root",
    sessions: 0,
    used_ms: null,
    ...more,
  };
}

const order = (row: Credential, all = [row]) => revokeOrder(row, all, ANNA, NOW_MS);
const fact = (row: Credential, name: string) => order(row).facts?.find(([each]) => each === name)?.[1];

describe("to revoke", () => {
  test("takes away the credential of that number, for good", () => {
    const { method, path, isFinal, body } = order(held("link"));
    expect({ method, path, isFinal }).toEqual({ method: "DELETE", path: "/api/v1/access/4", isFinal: true });
    expect(body({}, "key")).toBeNull();
  });
  test("says what it is, whose, and when it was last used", () => {
    const link = held("link", { used_ms: NOW_MS - 90_000 });
    expect(fact(link, "What")).toBe("watcher's link, number 4");
    expect(fact(link, "Whose")).toBe("noc");
    expect(fact(link, "Last used")).toBe("1 min 30 s ago");
    expect(fact(link, "Ends by itself")).toBe("never");
    expect(fact(held("link"), "Last used")).toBe("not since the web role started");
  });
  test.each([
    [0, "No browser is in by it now, and it opens"],
    [1, "1 browser that is in by it is cut off within seconds, and it opens"],
    [2, "2 browsers that are in by it are cut off within seconds, and it opens"],
  ])("a link by which %s browsers are in says who is cut off", (sessions, expected) => {
    expect(order(held("link", { sessions })).says).toContain(expected);
  });
  test("a token says that a program is refused", () => {
    expect(order(held("token")).says).toContain("is refused within a second");
  });
  test("the last password of an operator says how one comes in again", () => {
    const last = held("password", { name: "bert" });
    expect(order(last).says).toContain("It is the last password of an operator");
    expect(order(last, [last, held("password", { id: 5 })]).says).not.toContain("last password");
  });
  test("what who asks may be in by says so", () => {
    for (const kind of ["password", "session"]) {
      expect(order(held(kind, { name: "anna" })).says).toContain("You are in as anna: it may log you out.");
      expect(order(held(kind)).says).not.toContain("You are in");
    }
    expect(order(held("token", { name: "anna" })).says).not.toContain("You are in");
  });
});
