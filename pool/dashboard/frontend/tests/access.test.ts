import { describe, expect, test } from "vitest";

import { type Credential, lostInWords, revokeOrder } from "../src/orders/access";
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

const order = (row: Credential) => revokeOrder(row, ANNA);
const fact = (row: Credential, name: string) => order(row).facts?.find(([each]) => each === name)?.[1];
const lost = (row: Credential, rows = [row]) => lostInWords(row, rows, ANNA, NOW_MS);

describe("to revoke", () => {
  test("takes away the credential of that number, for good", () => {
    const { method, path, isFinal, body } = order(held("link"));
    expect({ method, path, isFinal }).toEqual({ method: "DELETE", path: "/api/v1/access/4", isFinal: true });
    expect(body({}, "key")).toBeNull();
  });
  test("says what it is, whose, and what follows", () => {
    expect(fact(held("link"), "What")).toBe("watcher's link, number 4");
    expect(fact(held("link"), "Whose")).toBe("noc");
    expect(fact(held("link"), "Ends by itself")).toBe("never");
    expect(order(held("link")).says).toMatch(/^It opens the page for nobody any more/);
    expect(order(held("token")).says).toContain("is refused within a second");
    expect(order(held("password")).says).toMatch(/^noc cannot log in any more/);
  });
  test("says when it was last used, by what is known when it is pressed", () => {
    const now = held("link", { used_ms: NOW_MS - 90_000, sessions: 1 });
    expect(lost(held("link"), [now])).toMatch(/^Last used: 1 min 30 s ago. 1 browser that is in by it is cut off/);
    expect(lost(held("token"))).toBe("Last used: not since the web role started.");
    expect(lost(held("link"), [])).toBe("It does not hold any more: it was revoked, or is over.");
  });
  test.each([
    [0, "No browser is in by it now."],
    [1, "1 browser that is in by it is cut off within seconds."],
    [2, "2 browsers that are in by it are cut off within seconds."],
  ])("a link by which %s browsers are in says who is cut off", (sessions, expected) => {
    expect(lost(held("link", { sessions }))).toContain(expected);
  });
  test("the last password of an operator says that it is", () => {
    const last = held("password", { name: "bert" });
    expect(lost(last)).toContain("It is the last password of an operator.");
    expect(lost(last, [last, held("password", { id: 5 })])).not.toContain("last password");
  });
  test("what who asks may be in by says so", () => {
    for (const kind of ["password", "session"]) {
      expect(lost(held(kind, { name: "anna" }))).toContain("You are in as anna: it may log you out.");
      expect(lost(held(kind))).not.toContain("You are in");
    }
    expect(lost(held("token", { name: "anna" }))).not.toContain("You are in");
  });
});
