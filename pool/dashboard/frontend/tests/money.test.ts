import { describe, expect, test } from "vitest";

import type { Block, BlockDetail, PayoutDetail } from "../src/api";
import { thresholdOf } from "../src/orders/accounts";
import { noCredits, others, stateInWords, together } from "../src/pages/blocks";
import { paymentsOf, type StatementLine, sumOf } from "../src/pages/payments";
import { confirmations, networkFee } from "../src/pages/payouts";

describe("a block", () => {
  const block = (state: string, confirmations: number) => ({ state, confirmations }) as Block;
  test("says what its state means, and how many blocks an immature one waits for", () => {
    expect(stateInWords(block("immature", 38))).toMatch(/^immature: .*cannot be spent yet: 63 more blocks$/);
    expect(stateInWords(block("immature", 100))).toMatch(/: 1 more block$/);
    expect(stateInWords(block("orphaned", 0))).toMatch(/^orphaned: .*credits are taken back$/);
    expect(stateInWords(block("of tomorrow", 0))).toBe("of tomorrow");
  });
  test("has the sums of its credits", () => {
    const credits = [10, 20].map((amount_sat) => ({ amount_sat, fee_sat: 1 })) as BlockDetail["credits"];
    expect(together(credits)).toBe("Together 0.00000030 BTC, after 0.00000002 BTC of fees.");
  });
});

describe("of the credits of a block", () => {
  const detail = (all: number, told: number, state = "candidate") =>
    ({ block: { credits: all, state }, credits: Array(told) }) as unknown as BlockDetail;
  test("those that are not told are not as if there were none", () => {
    expect(noCredits(detail(0, 0).block)).toBe("Credits follow the first confirmation.");
    expect(noCredits(detail(1, 0).block)).toBe("It has 1 credit, told to whose it is.");
    expect(noCredits(detail(2_000, 0).block)).toBe("It has 2,000 credits, told to whose they are.");
  });
  test("none are promised for a block that another has taken the place of", () => {
    expect(noCredits(detail(0, 0, "dead").block)).toBe("Nobody was credited for it.");
    expect(noCredits(detail(0, 0, "orphaned").block)).toBe("Nobody was credited for it.");
  });
  test("it is told how many others have, if there are others", () => {
    expect(others(detail(3, 1))).toBe(" It has 2 more, told to whose they are.");
    expect(others(detail(3, 3))).toBe("");
  });
});

describe("a payout", () => {
  const batch = (payout: object, attempts: object[] = []) => ({ payout, attempts }) as unknown as PayoutDetail;
  test("that was never sent has no number of confirmations, not zero", () => {
    expect(confirmations(batch({ first_sent_ms: null, confirmations: 0 }).payout)).toBe("–");
    expect(confirmations(batch({ first_sent_ms: 1, confirmations: 0 }).payout)).toBe("0");
  });
  test("has the fee of its draft until it is signed", () => {
    expect(networkFee(batch({ fee_sat: null, txid: null }))).toBe("not known before it is built");
    expect(networkFee(batch({ fee_sat: null, txid: null }, [{ fee_sat: 7 }]))).toMatch(/^0.00000007 BTC, once it is/);
    expect(networkFee(batch({ fee_sat: 9, txid: "ab" }, [{ fee_sat: 7 }]))).toBe("0.00000009 BTC");
    expect(networkFee(batch({ fee_sat: null, txid: "ab" }))).toBe("–");
  });
});

test("payments are those lines of a statement that pay or undo it, the newest first", () => {
  const line = (kind: string, amount_sat: number, time_ms: number): StatementLine => ({
    time_ms,
    kind,
    ref: "1",
    amount_sat,
    txid: null,
  });
  const lines = [
    line("block.immature", 9, 1),
    line("payout.confirmed", -7, 2),
    line("payout.unconfirmed", 7, 3),
    line("payout.reserve", 0, 4),
    line("payout.confirmed", -7, 5),
  ];
  expect(paymentsOf(lines).map((each) => each.time_ms)).toEqual([5, 3, 2]);
  expect(sumOf(paymentsOf(lines))).toBe(7);
});

test("a threshold is an account's own, or the pool's", () => {
  expect(thresholdOf("its own")).toBe("a threshold of its own");
  expect(thresholdOf("payouts.threshold_sat")).toBe("the pool's threshold (payouts.threshold_sat)");
});
