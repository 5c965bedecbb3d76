import { describe, expect, test } from "vitest";

import type { PayoutDetail } from "../src/api";
import type { Move } from "../src/fleet";
import { accountOrders, addOrder, type Terms } from "../src/orders/accounts";
import { mayBeHeld, waitingOrder } from "../src/orders/blocks";
import { byAccount, confirmOrder, dueInWords, dueLines, moveOrders, planOrder, type Stray } from "../src/orders/moves";
import { payoutOrders, payoutsOrders, planInWords, planLines, stateInWords } from "../src/orders/payouts";
import { coinsOrder, type Reserve, reserveInWords, reserveOrders } from "../src/orders/reserve";
import { newKey, psbtOf, type Spec } from "../src/orders/spec";
import { mayOrder, type Session } from "../src/session";

const titles = (orders: Spec[]) => orders.map((each) => each.title);
const named = (orders: Spec[], title: string) => orders.find((each) => each.title === title)!;

const NEWEST = "ab".repeat(32);

function batch(state: string, draft: string | null): PayoutDetail {
  const attempts = [{ number: 1, purpose: "pay", txid: NEWEST, fee_sat: 5, vbytes: 140, is_signed: true }];
  return {
    payout: { id: 7, state, total_sat: 150_000_000, draft } as PayoutDetail["payout"],
    lines: [
      { account: "alice", address: "a", script: "", amount_sat: 100_000_000 },
      { account: "bob", address: "b", script: "", amount_sat: 50_000_000 },
    ],
    attempts: ["reserved", "built"].includes(state) ? [] : attempts,
    ledger: [],
  };
}

const orders = (state: string, draft: string | null = null) => payoutOrders(batch(state, draft), () => undefined);

describe("a batch", () => {
  test.each([
    ["reserved", ["Release it"]],
    ["built", ["Release it"]],
    ["signed", ["Cancel it", "Release it"]],
    ["broadcast", ["Raise the fee", "Cancel it", "Release it"]],
    ["confirmed", []],
    ["final", []],
    ["released", []],
  ])("that is %s has the orders that its state allows", (state, expected) => {
    expect(titles(orders(state))).toEqual(expected);
  });
  test("that waits for signatures is given out and taken back", () => {
    expect(titles(orders("built", "pay"))).toEqual(["Download the PSBT", "Upload the signed PSBT", "Release it"]);
    expect(titles(orders("broadcast", "pay")).slice(0, 2)).toEqual(["Download the PSBT", "Upload the signed PSBT"]);
  });
  test("takes back for good only when it is cancelled or released", () => {
    const final = orders("broadcast", "pay").filter((each) => each.isFinal);
    expect(titles(final)).toEqual(["Cancel it", "Release it"]);
  });
  test("says what its state means", () => {
    expect(stateInWords("exported")).toBe("exported: its transaction was given out to be signed");
    expect(stateInWords("of_tomorrow")).toBe("of tomorrow");
  });
  test("is told of with its amount and its accounts", () => {
    expect(named(orders("broadcast"), "Raise the fee").says).toContain("1.50000000 BTC to 2 accounts");
  });
  test("is bumped at the rate that was written, or the node's, once for the newest transaction", () => {
    const { body } = named(orders("broadcast"), "Raise the fee");
    expect(body({ rate: "12" }, "key")).toEqual({ fee_rate: 12, newest: NEWEST });
    expect(body({ rate: "" }, "key")).toEqual({ fee_rate: null, newest: NEWEST });
  });
});

describe("all payouts", () => {
  const plan = {
    fee_rate_sat_kvb: 5_100,
    total_sat: 700,
    lines: [{ account: "alice", address: "bc1a", amount_sat: 700 }],
    waiting: [
      { account: "bob", available_sat: 5, reason: "no_address" },
      { account: "carol", available_sat: 6, reason: "paused_by_law" },
    ],
  };
  test("are stopped, or let go on, never both", () => {
    expect(titles(payoutsOrders(null))).toEqual(["Pay now", "Stop payouts"]);
    expect(titles(payoutsOrders("a wallet is missing"))).toEqual(["Let payouts go on"]);
  });
  test("are planned in words, with the amount and those who wait", () => {
    const one = { ...plan, waiting: plan.waiting.slice(1) };
    expect(planInWords(one)).toBe("Now 1 account would be paid 0.00000700 BTC at about 6 sat/vB; 1 account waits.");
    expect(planInWords({ ...plan, lines: [], waiting: [] })).toBe("Nobody can be paid now.");
  });
  test("are planned one by one: who gets how much and where, and why others wait", () => {
    expect(planLines(plan)).toEqual([
      "0.00000700 BTC  alice  bc1a",
      "0.00000005 BTC  bob waits: it has no address",
      "0.00000006 BTC  carol waits: it is paused by law",
    ]);
    const many = { ...plan, lines: Array.from({ length: 300 }, () => plan.lines[0]!) };
    expect(planLines(many)).toHaveLength(201);
    expect(planLines(many).at(-1)).toBe("and 102 more");
  });
});

describe("a block", () => {
  const block = { hash_hex: "cd".repeat(32), height: 150, state: "immature" } as Parameters<typeof mayBeHeld>[0];
  const waiting = { hash: "cd".repeat(32), why: "held" as const, since_ms: 1, reason: "too many fees" };
  test("may be held until it is mature, once", () => {
    expect(mayBeHeld(block, [])).toBe(true);
    expect(mayBeHeld(block, [waiting])).toBe(false);
    expect(mayBeHeld({ ...block, state: "mature" }, [])).toBe(false);
  });
  test("that is held is let go, and one that nobody told of is accepted", () => {
    expect(waitingOrder(waiting).path).toBe(`/api/v1/blocks/${waiting.hash}/release`);
    expect(waitingOrder({ ...waiting, why: "stray" }).path).toBe(`/api/v1/blocks/${waiting.hash}/accept`);
  });
});

describe("a move", () => {
  const move = {
    name: "out/1",
    account: "acme",
    machines: 5,
    counts: { arrived: 3 },
    origin: { site: "ganzi" },
    target: { site: "ekibastuz" },
  } as unknown as Move;
  test.each([
    ["planned", ["Start the move", "Roll back"]],
    ["running", ["Pause", "Roll back", "Close it"]],
    ["paused", ["Resume", "Roll back", "Close it"]],
    ["rolling_back", ["Close it"]],
    ["closed", []],
  ])("that is %s has the orders that its state allows", (state, expected) => {
    expect(titles(moveOrders({ ...move, state } as Move))).toEqual(expected);
  });
  test("that is a draft is planned with what it knows, or dropped for a reason", () => {
    const draft = { ...move, state: "draft", target: null, lacks: ["the site to go to"] } as unknown as Move;
    const [plan, drop] = moveOrders(draft);
    expect(plan?.fields?.map((each) => each.name)).not.toContain("account");
    expect(plan?.body({ target: "ekibastuz", pace: "20/min" }, "k")).toMatchObject({ name: "out/1", target: "ekibastuz" });
    expect(plan?.trial?.body({ target: "ekibastuz" })).toMatchObject({ name: "out/1", dry_run: true });
    expect(drop?.path).toBe("/api/v1/moves/out%2F1/close");
    expect(drop?.fields?.[0]).not.toHaveProperty("optional");
  });
  test("is ordered about by its name, with a key", () => {
    const start = named(moveOrders({ ...move, state: "planned" } as Move), "Start the move");
    expect(start.path).toBe("/api/v1/moves/out%2F1/start");
    expect(start.body({ reason: "now" }, "k1")).toEqual({ reason: "now", key: "k1" });
  });
  test("is closed by force only when that is said", () => {
    const close = named(moveOrders({ ...move, state: "running" } as Move), "Close it");
    expect(close.says).toContain("2 of 5 machines are missing");
    expect(close.body({ reason: "", force: "" }, "k")).toEqual({ reason: "", key: "k", force: false });
    expect(close.body({ reason: "", force: "true" }, "k")).toMatchObject({ force: true });
  });
  test("says who would be told, and when", () => {
    const due = [0, 3_000].map((at_ms, place) => ({ login: `acme.${place}`, rack: "", at_ms }));
    expect(dueInWords({ name: "out", due, note: "" })).toBe(
      "2 machines would be told to go, the first at 1970-01-01 00:00:00 UTC, the last at 1970-01-01 00:00:03 UTC.",
    );
    expect(dueInWords({ name: "out", due: [], note: "look" })).toBe("No machine would be told. look.");
    const many = Array.from({ length: 300 }, () => due[0]!);
    expect(dueLines({ name: "out", due: many, note: "" })).toHaveLength(202);
  });
  test("is planned with whole numbers, and tried without being kept", () => {
    const order = planOrder();
    const values = { name: "out", tolerance: "90", wait: "", grace: "5" };
    expect(order.body(values, "k")).toEqual({ name: "out", tolerance_minutes: 90, wait_seconds: 0, grace_seconds: 5 });
    expect(order.trial?.body(values)).toMatchObject({ name: "out", dry_run: true });
  });
});

describe("workers that came on elsewhere", () => {
  const stray = (account: string, worker: string, seen_ms: number, to_region = "kz"): Stray => ({
    login: `${account}.${worker}`,
    account,
    from_region: "sc",
    to_region,
    seen_ms,
  });
  const found = byAccount([stray("acme", "one", 5), stray("bit", "one", 9), stray("acme", "two", 7, "tx"), stray("acme", "two", 8)]);
  test("are told by account, whose came last first", () => {
    expect(found).toEqual([
      { account: "bit", workers: 1, ways: ["sc to kz"], seen_ms: 9 },
      { account: "acme", workers: 2, ways: ["sc to kz", "sc to tx"], seen_ms: 8 },
    ]);
  });
  test("are confirmed for the whole account, which the order says", () => {
    const [bit, acme] = found.map(confirmOrder);
    expect(titles([bit!, acme!])).toEqual(["Confirm bit", "Confirm acme"]);
    expect(acme?.path).toBe("/api/v1/strays/acme/confirm");
    expect(acme?.says).toMatch(/^2 workers of acme came on/);
    expect(bit?.says).toMatch(/^1 worker of bit came on/);
    expect(acme?.facts).toContainEqual(["Came on", "sc to kz, sc to tx"]);
  });
});

describe("an account", () => {
  const terms: Terms = {
    account: { name: "alice", scheme: "pplns", fee_bps: 100, plans: [] },
    addresses: [{ address: "bc1old", requested_ms: 1, valid_from_ms: 1, cancelled_ms: null }],
    threshold: { threshold_sat: 5_000, note: "its own" },
  };
  test("has its address changed, or a change on hold taken back", () => {
    expect(titles(accountOrders(terms, 10))[0]).toBe("Change the address");
    const held = { address: "bc1new", requested_ms: 5, valid_from_ms: 20, cancelled_ms: null };
    const [order] = accountOrders({ ...terms, addresses: [...terms.addresses, held] }, 10);
    expect(order?.says).toContain("stays paid to bc1old, and not to bc1new");
    const taken = { ...held, cancelled_ms: 9 };
    expect(titles(accountOrders({ ...terms, addresses: [taken] }, 10))[0]).toBe("Change the address");
  });
  test("has a threshold that may be given up", () => {
    const order = named(accountOrders(terms, 10), "Change the threshold");
    expect(order.body({ sat: "700" }, "k")).toEqual({ threshold_sat: 700 });
    expect(order.body({ sat: "" }, "k")).toEqual({ threshold_sat: null });
  });
  test("is added with what is configured where nothing is said", () => {
    expect(addOrder().body({ name: "bob", scheme: "", fee_bps: "", address: "" }, "k")).toEqual({
      name: "bob",
      scheme: null,
      fee_bps: null,
      address: null,
    });
  });
});

describe("the reserve", () => {
  const standing = { held_sat: 5, block_sat: 6, margin_bps: 100, alarm_sat: 7, close_sat: 1, floor_sat: 0 };
  const reserve = { level: "low", standing: { ...standing, stopped_height: null }, stops: [] } as Reserve;
  test("is told of in words, and goes on only once it was stopped", () => {
    expect(reserveInWords(reserve)).toBe("0.00000005 BTC held; an alarm. At this margin 0.00000007 BTC are enough.");
    expect(reserveInWords({ ...reserve, level: "unused" })).toBe("0.00000005 BTC held; nobody is paid per share.");
    expect(titles(reserveOrders(reserve))).toEqual(["Fund the reserve"]);
    expect(titles(reserveOrders({ ...reserve, level: "stopped" }))).toEqual(["Fund the reserve", "Pay per share again"]);
  });
  test("and the wallet have coins booked under a ticket, those that left as less than nothing", () => {
    expect(coinsOrder().body({ ticket: "T1", amount: "-5" }, "k")).toEqual({ ticket: "T1", amount_sat: -5 });
    expect(reserveOrders(reserve)[0]?.body({ ticket: "R1", amount: "5", fees: "true" }, "k")).toEqual({
      ticket: "R1",
      amount_sat: 5,
      from_fees: true,
    });
  });
});

describe("a signed PSBT", () => {
  test("is read as bytes and as text", () => {
    expect(psbtOf(new Uint8Array([0x70, 0x73, 0x62, 0x74, 0xff, 0x01]))).toBe("cHNidP8B");
    expect(psbtOf(new TextEncoder().encode("cHNidP8B\n"))).toBe("cHNidP8B");
  });
});

test("each order has a key of its own", () => {
  expect(newKey()).toMatch(/^[0-9a-f]{24}$/);
  expect(newKey()).not.toBe(newKey());
});

test("buttons are for operators, at their listener, with the right", () => {
  const session = { is_admin: true, scope: "pool", rights: ["read", "payouts"] } as Session;
  expect(mayOrder(session, "payouts")).toBe(true);
  expect(mayOrder(session, "moves")).toBe(false);
  expect(mayOrder({ ...session, is_admin: false }, "payouts")).toBe(false);
  expect(mayOrder({ ...session, scope: "site:ganzi" }, "payouts")).toBe(false);
  expect(mayOrder(null, "payouts")).toBe(false);
});
