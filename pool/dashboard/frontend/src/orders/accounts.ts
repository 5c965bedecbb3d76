// What an operator orders about accounts.
import { btc, count, fee, moment, schemeName } from "../format";
import { type Field, number, type Spec } from "./spec";

export interface Terms {
  account: {
    name: string;
    scheme: string;
    fee_bps: number;
    plans: { scheme: string; fee_bps: number; valid_from_ms: number; state: string }[];
  };
  addresses: { address: string; requested_ms: number; valid_from_ms: number; cancelled_ms: number | null }[];
  threshold: { threshold_sat: number; note: string };
}

const SCHEMES: [string, string][] = [
  ["pplns", "PPLNS"],
  ["pps", "PPS"],
  ["fpps", "FPPS"],
  ["pps_plus", "PPS+"],
  ["solo", "Solo"],
];

const schemeField = (label: string, unchanged: string): Field => ({
  name: "scheme",
  label,
  kind: "choice",
  options: [["", unchanged], ...SCHEMES],
  optional: true,
});

const FEE = "Fee in hundredths of a percent, as 150 for 1.50 %";

// What the server says of whose a threshold is.
export function thresholdOf(note: string): string {
  return note === "its own" ? "a threshold of its own" : `the pool's threshold (${note})`;
}

export function addOrder(): Spec {
  return {
    title: "Add an account",
    says: "It is registered before its first share, with its plan and address.",
    path: "/api/v1/accounts",
    fields: [
      { name: "name", label: "Name" },
      schemeField("Scheme", "As configured"),
      { name: "fee_bps", label: `${FEE}; empty: as configured`, kind: "whole", optional: true },
      { name: "address", label: "Where it is paid; empty: later", optional: true },
    ],
    body: ({ name, scheme, fee_bps, address }) => ({
      name,
      scheme: scheme || null,
      fee_bps: number(fee_bps),
      address: address || null,
    }),
  };
}

export function accountOrders({ account, addresses, threshold }: Terms, nowMs: number): Spec[] {
  const path = `/api/v1/accounts/${encodeURIComponent(account.name)}`;
  const held = addresses.find((each) => each.cancelled_ms === null && each.valid_from_ms > nowMs);
  const paid = addresses.filter((each) => each.cancelled_ms === null && each.valid_from_ms <= nowMs).at(-1);
  const planned = account.plans.find((each) => each.state === "planned");
  return [
    held
      ? {
          title: "Take back the new address",
          says:
            `${account.name} stays paid to ${paid?.address ?? "nobody"}, and not to ${held.address} ` +
            `from ${moment(held.valid_from_ms)} on.`,
          path: `${path}/address/cancel`,
          body: () => ({}),
        }
      : {
          title: "Change the address",
          says: paid
            ? `${account.name} is paid to ${paid.address}. A new address is on hold before it counts, for three days ` +
              "if nothing else is configured."
            : `${account.name} has no address: the first one holds at once.`,
          path: `${path}/address`,
          fields: [{ name: "address", label: "New address" }],
          body: ({ address }) => ({ address: address?.trim() }),
        },
    {
      title: "Change the threshold",
      says:
        `${account.name} is paid once it has ${count(threshold.threshold_sat)} satoshi, ` +
        `${btc(threshold.threshold_sat)} BTC: ${thresholdOf(threshold.note)}.`,
      path: `${path}/threshold`,
      fields: [{ name: "sat", label: "New threshold in satoshi; empty: the pool's (payouts.threshold_sat)", kind: "whole", optional: true }],
      body: ({ sat }) => ({ threshold_sat: number(sat) }),
    },
    planned
      ? {
          title: "Take back the planned change",
          says:
            `${account.name} stays on ${schemeName(account.scheme)} with ${fee(account.fee_bps)}, instead of ` +
            `${schemeName(planned.scheme)} with ${fee(planned.fee_bps)} from ${moment(planned.valid_from_ms)}.`,
          path: `${path}/plan/cancel`,
          body: () => ({}),
        }
      : {
          title: "Change the plan",
          says:
            `${account.name} is on ${schemeName(account.scheme)} with ${fee(account.fee_bps)}. Shares keep the ` +
            "plan that was in force when they were accepted.",
          path: `${path}/plan`,
          fields: [
            schemeField("Scheme", "As it is"),
            { name: "fee_bps", label: `${FEE}; empty: as it is`, kind: "whole", optional: true },
            { name: "from", label: "From, as 2026-12-01T00:00Z; empty: in a minute or two", optional: true },
          ],
          body: ({ scheme, fee_bps, from }) => ({
            scheme: scheme || null,
            fee_bps: number(fee_bps),
            from_time: from ?? "",
          }),
        },
  ];
}
