import { describe, expect, test } from "vitest";

import { type Known, namesOf } from "../src/orders/known";
import { planOrder } from "../src/orders/moves";

const fact = (kind: string, says: object) => ({ kind, says });

const ANSWERS: Record<string, unknown> = {
  accounts: { rows: [{ name: "acme" }, { name: "bit" }] },
  sites: { rows: [fact("site", { name: "ganzi", region: "sichuan" }), fact("site", { name: "texas", region: "" })] },
  regions: { rows: [{ region: "sichuan", endpoint: "sc.example:3333" }, { region: "texas", endpoint: "" }] },
  assignments: {
    rows: [
      fact("assignment", { account: "acme", pattern: "sc-*" }),
      fact("assignment", { account: "bit", pattern: "sc-*" }),
    ],
  },
  fleets: { rows: [fact("fleet", { name: "acme/main" })] },
};

async function read(path: string): Promise<unknown> {
  const answer = ANSWERS[path.replace("/api/v1/", "").replace(/\?.*/, "")];
  if (answer === undefined) throw new Error(path);
  return answer;
}

describe("names are suggested", () => {
  test.each<[Known, string[][]]>([
    ["accounts", [["acme", ""], ["bit", ""]]],
    ["places", [["ganzi", "site in sichuan"], ["texas", "site"], ["sichuan", "region"]]],
    ["patterns", [["sc-*", "of acme"]]],
    ["endpoints", [["sc.example:3333", "of sichuan"]]],
    ["scopes", ["pool", "account:acme", "account:bit", "site:ganzi", "site:texas", "fleet:acme/main"].map((name) => [name, ""])],
  ])("of %s, each once", async (known, expected) => {
    expect(await namesOf(known, read)).toEqual(expected);
  });
  test("of what can be read, if something cannot", async () => {
    const broken = (path: string) => (path.includes("sites") ? Promise.reject(new Error("away")) : read(path));
    expect((await namesOf("places", broken)).map(([name]) => name)).toEqual(["sichuan", "texas"]);
    expect(await namesOf("places", async () => ({ rows: null }))).toEqual([]);
  });
  test("in each field of a move that wants one", () => {
    const wanted = (planOrder().fields ?? []).filter((field) => field.known).map((field) => field.name);
    expect(wanted).toEqual(["account", "workers", "origin", "target", "origin_endpoint", "target_endpoint"]);
  });
});
