// What an operator orders about payments.
import type { PayoutDetail } from "../api";
import { btc, count, words } from "../format";
import { number, RATE, REASON, type Spec } from "./spec";

export interface Plan {
  fee_rate_sat_kvb: number;
  total_sat: number;
  lines: { account: string; address: string; amount_sat: number }[];
  waiting: { account: string; available_sat: number; reason: string }[];
}

export function planInWords(plan: Plan): string {
  const number = plan.waiting.length;
  const waits = number ? `; ${accounts(number)} wait${number === 1 ? "s" : ""}` : "";
  if (plan.lines.length === 0) return `Nobody can be paid now${waits}.`;
  const rate = `about ${count(Math.ceil(plan.fee_rate_sat_kvb / 1000))} sat/vB`;
  return `Now ${accounts(plan.lines.length)} would be paid ${btc(plan.total_sat)} BTC at ${rate}${waits}.`;
}

const LISTED = 200;

const WAITS: Record<string, string> = {
  no_address: "it has no address",
  address_invalid: "its address cannot be paid",
  address_hold: "its new address is still on hold",
  below_minimum: "it has not reached its threshold",
  batch_full: "the batch is full: it comes with the next one",
  coins_short: "the wallet has too few coins that can be spent",
};

// Who gets how much, and where; then who does not, and why.
export function planLines({ lines, waiting }: Plan): string[] {
  const paid = lines.map((each) => `${btc(each.amount_sat)} BTC  ${each.account}  ${each.address}`);
  const held = waiting.map(
    (each) => `${btc(each.available_sat)} BTC  ${each.account} waits: ${WAITS[each.reason] ?? `it is ${words(each.reason)}`}`,
  );
  const all = [...paid, ...held];
  return all.length > LISTED ? [...all.slice(0, LISTED), `and ${count(all.length - LISTED)} more`] : all;
}

const STATES: Record<string, string> = {
  reserved: "its amounts are set aside; no transaction is built yet",
  built: "its transaction is built and not signed",
  exported: "its transaction was given out to be signed",
  signed: "its transaction is signed and not sent yet",
  broadcast: "its transaction is sent and in no block yet",
  confirmed: "its transaction is in a block",
  final: "its transaction is six blocks deep",
  cancelled: "a transaction that pays its coins back to the pool is in a block",
  released: "the accounts have its amounts available again",
};

export function stateInWords(state: string): string {
  return STATES[state] ? `${words(state)}: ${STATES[state]}` : words(state);
}

export function paidAccounts({ lines }: PayoutDetail): number {
  return new Set(lines.map((line) => line.account)).size;
}

export function accounts(number: number): string {
  return `${count(number)} account${number === 1 ? "" : "s"}`;
}

// About all of them.
export function payoutsOrders(stopped: string | null): Spec[] {
  if (stopped !== null) {
    return [
      {
        title: "Let payouts go on",
        says: `They are stopped: ${stopped}. The whole ledger is read first; they stay stopped if anything is wrong.`,
        path: "/api/v1/payouts/resume",
        fields: [REASON],
        body: ({ reason }) => ({ reason }),
      },
    ];
  }
  return [
    {
      title: "Pay now",
      says: "Whoever can be paid is paid now, instead of at the daily hour.",
      path: "/api/v1/payouts/run",
      body: () => ({}),
      look: { path: "/api/v1/payouts/plan", words: planInWords, lines: planLines },
    },
    {
      title: "Stop payouts",
      says: "Nothing more is signed or sent until somebody lets them go on. What is on its way is still followed.",
      path: "/api/v1/payouts/stop",
      fields: [REASON],
      body: ({ reason }) => ({ reason }),
    },
  ];
}

const ON_ITS_WAY = ["reserved", "built", "exported", "signed", "broadcast"];

// About one batch, as its state allows.
export function payoutOrders(batch: PayoutDetail, give: (psbt: string) => void): Spec[] {
  const { payout, attempts } = batch;
  const path = `/api/v1/payouts/${payout.id}`;
  const newest = attempts.at(-1)?.txid ?? "";
  const what = `${btc(payout.total_sat)} BTC to ${accounts(paidAccounts(batch))}`;
  const drafted = ({ rate }: Record<string, string>) => ({ fee_rate: number(rate), newest });
  const orders: Spec[] = [];
  if (payout.draft !== null) {
    orders.push(
      {
        title: "Download the PSBT",
        says:
          `It is for the signer, and pays ${what}. From now on it may be signed: the batch cannot be released any ` +
          "more, only cancelled.",
        path: `${path}/export`,
        body: () => ({}),
        then: ({ psbt }: { psbt: string }) => give(psbt),
      },
      {
        title: "Upload the signed PSBT",
        says: `It is sent, and pays ${what}. It is refused if it is not what was given out.`,
        path: "/api/v1/payouts/import",
        fields: [{ name: "psbt", label: "The file that the signer wrote", kind: "psbt" }],
        body: ({ psbt }) => ({ psbt }),
      },
    );
  }
  if (payout.state === "broadcast") {
    orders.push({
      title: "Raise the fee",
      says: `A transaction that pays the same, ${what}, takes the place of the newest one, at a higher fee.`,
      path: `${path}/bump`,
      fields: [RATE],
      body: drafted,
    });
  }
  if (["exported", "signed", "broadcast"].includes(payout.state)) {
    orders.push({
      title: "Cancel it",
      isFinal: true,
      says:
        `One of its inputs is spent back to the pool, for a fee, instead of ${what}. Six blocks deep, the accounts ` +
        "have that available again.",
      path: `${path}/cancel`,
      fields: [RATE],
      body: drafted,
    });
  }
  if (ON_ITS_WAY.includes(payout.state)) {
    orders.push({
      title: "Release it",
      isFinal: true,
      says:
        `The accounts have what was on its way, ${btc(payout.total_sat)} BTC, available again. Refused unless ` +
        "nothing of it can ever be in the chain.",
      path: `${path}/release`,
      body: () => ({}),
    });
  }
  return orders;
}
