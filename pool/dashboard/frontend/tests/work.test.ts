import { describe, expect, it } from "vitest";
import type { WorkRole } from "../src/api";
import { hasRegions, nodesOf, worstWork } from "../src/work";

const JOB = { height: 9, tip_hash_hex: "", job_id: "1", template_ms: 5_000, transactions: 0, network_difficulty: 1 };

function role(changes: Partial<WorkRole> = {}): WorkRole {
  return {
    heartbeat_ms: 0,
    node_reason: null,
    job: JOB,
    nodes: [],
    chain: null,
    candidates_pending: 0,
    disk: null,
    ...changes,
  };
}

const NODE = {
  name: "a:8332",
  state: "good",
  reason: null,
  height: 8,
  is_chosen: true,
  is_silent: null,
  chain: null,
};

describe("the work roles of several regions", () => {
  it("are none where Redis does not answer", () => {
    expect(worstWork(undefined)).toBeUndefined();
    expect(worstWork({})).toBeUndefined();
    expect(nodesOf(undefined)).toEqual([]);
    expect(hasRegions(undefined)).toBe(false);
  });

  it("are shown by the one with the oldest template", () => {
    const work = { fresh: role(), old: role({ job: { ...JOB, template_ms: 4_000 } }) };
    expect(worstWork(work)?.region).toBe("old");
  });

  it("before that by one without a job, and first of all by one without a node", () => {
    const work = { old: role({ job: { ...JOB, template_ms: 1 } }), jobless: role({ job: null }) };
    expect(worstWork(work)?.region).toBe("jobless");
    expect(worstWork({ ...work, away: role({ node_reason: "No node answers." }) })?.region).toBe("away");
  });

  it("show all their nodes", () => {
    const work = { sichuan: role({ nodes: [NODE] }), texas: role({ nodes: [{ ...NODE, state: "down" }] }) };
    expect(nodesOf(work).map((node) => [node.region, node.state])).toEqual([
      ["sichuan", "good"],
      ["texas", "down"],
    ]);
    expect(hasRegions(work)).toBe(true);
  });
});
