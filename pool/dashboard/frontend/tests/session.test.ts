import { describe, expect, test } from "vitest";

import { mayGo, maySee, seesMoney, type Session, whoInWords } from "../src/session";

const NOBODY: Session = {
  who: "nobody",
  role: "nobody",
  scope: null,
  rights: [],
  csrf: null,
  until_ms: null,
  public: ["overview", "blocks"],
  is_admin: false,
  needs_setup: false,
};
const OWNER: Session = { ...NOBODY, who: "owner:alice", role: "owner", scope: "account:alice" };
const WATCHER: Session = { ...NOBODY, who: "watcher:noc", role: "watcher", scope: "pool" };

describe("what is shown", () => {
  test("to nobody is what is public", () => {
    expect(["overview", "blocks", "workers", "payouts", "operators"].filter((part) => maySee(NOBODY, part))).toEqual([
      "overview",
      "blocks",
    ]);
  });
  test("to an owner is also what is their own", () => {
    expect(["workers", "accounts", "payouts", "moves"].filter((part) => maySee(OWNER, part))).toEqual([
      "workers",
      "accounts",
    ]);
  });
  test.each(["site:ganzi", "fleet:acme/main"])("to a watcher of %s is no account, since none is theirs", (scope) => {
    const watcher = { ...WATCHER, scope, public: ["overview", "accounts"] };
    expect(["workers", "blocks", "accounts"].filter((part) => maySee(watcher, part))).toEqual(["workers", "blocks"]);
    expect(mayGo(watcher, "accounts")).toBe(false);
    expect(seesMoney(watcher)).toBe(true);
    expect(seesMoney({ ...watcher, public: [] })).toBe(false);
  });
  test("to nobody may need a login, to which a link leads", () => {
    expect(mayGo(NOBODY, "accounts")).toBe(true);
  });
  test("to a watcher of the pool is everything but what operators do", () => {
    expect(["workers", "payouts", "operators"].filter((part) => maySee(WATCHER, part))).toEqual(["workers", "payouts"]);
  });
  test("before the server has said who looks, nothing is hidden", () => {
    expect(maySee(null, "workers")).toBe(true);
  });
});

test("who is in is said in words", () => {
  expect(whoInWords({ ...WATCHER, scope: "site:ganzi" })).toBe("noc, watching site ganzi");
  expect(whoInWords(WATCHER)).toBe("noc, watching the pool");
  expect(whoInWords(OWNER)).toBe("alice");
});
