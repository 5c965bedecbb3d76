// What an operator orders about coins that no block and no payout moved: in the wallet, and in the reserve.
import { btc } from "../format";
import { type Field, number, REASON, type Spec } from "./spec";

export interface Reserve {
  level: "unused" | "funded" | "low" | "closed" | "stopped";
  standing: {
    held_sat: number;
    block_sat: number;
    margin_bps: number | null;
    alarm_sat: number | null;
    close_sat: number | null;
    floor_sat: number;
    stopped_height: number | null;
  };
  stops: { from_height: number; is_stopped: boolean; decided_ms: number; reason: string }[];
}

const TICKET: Field = { name: "ticket", label: "Ticket: names why, once and for ever" };
const AMOUNT: Field = { name: "amount", label: "Satoshi; negative: that left it", kind: "signed" };

export function coinsOrder(): Spec {
  return {
    title: "Book other coins",
    says:
      "Coins came into the wallet otherwise than by blocks, or left it otherwise than by payouts. The ledger has " +
      "them under the ticket; a ticket that was booked before is refused.",
    path: "/api/v1/payouts/fund",
    fields: [TICKET, AMOUNT],
    body: ({ ticket, amount }) => ({ ticket, amount_sat: number(amount) }),
  };
}

export function reserveOrders(reserve: Reserve): Spec[] {
  const fund: Spec = {
    title: "Fund the reserve",
    says: `It holds ${btc(reserve.standing.held_sat)} BTC. A ticket that was booked before is refused.`,
    path: "/api/v1/reserve/fund",
    fields: [
      TICKET,
      AMOUNT,
      { name: "fees", label: "They are fees that the pool has earned, not new coins", kind: "check", optional: true },
    ],
    body: ({ ticket, amount, fees }) => ({ ticket, amount_sat: number(amount), from_fees: fees === "true" }),
  };
  if (reserve.level !== "stopped") return [fund];
  return [
    fund,
    {
      title: "Pay per share again",
      says: "Shares of jobs of the next height on are paid for again. Refused while the reserve is too small.",
      path: "/api/v1/reserve/resume",
      fields: [REASON],
      body: ({ reason }) => ({ reason }),
    },
  ];
}

export function reserveInWords({ level, standing }: Reserve): string {
  const held = `${btc(standing.held_sat)} BTC held`;
  if (level === "unused") return `${held}; nobody is paid per share.`;
  if (level === "stopped") return `${held}; nothing is paid per share.`;
  const what = { funded: "all is well", low: "an alarm", closed: "no account more is paid per share" };
  const enough = standing.alarm_sat === null ? "no reserve is enough" : `${btc(standing.alarm_sat)} BTC are enough`;
  return `${held}; ${what[level]}. At this margin ${enough}.`;
}
