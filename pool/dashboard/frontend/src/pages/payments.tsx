// What one account was paid lately, out of its statement. That is read only when somebody asks: it is the whole of the
// account's ledger in that time.
import { useState } from "preact/hooks";

import { serverNow } from "../api";
import { btc, moment, UNKNOWN } from "../format";
import { useAnswer } from "../live";
import { Card, missing, Problem, Rows } from "../parts";
import { link } from "../router";
import { maySee, useSession } from "../session";

export interface StatementLine {
  time_ms: number;
  kind: string;
  ref: string; // of a payment: the number of the payout
  amount_sat: number;
  txid: string | null;
}

const DAYS = 90;
const DAY_MS = 86_400_000;
const EVERY_MS = 600_000;

// A payment is taken out of what the account has; a reorganization that undoes one puts it back.
const PAID: Record<string, string> = { "payout.confirmed": "paid", "payout.unconfirmed": "undone by a reorganization" };

export function paymentsOf(lines: StatementLine[]): StatementLine[] {
  return lines.filter((line) => line.kind in PAID).reverse();
}

export function sumOf(payments: StatementLine[]): number {
  return payments.reduce((sum, line) => sum - line.amount_sat, 0);
}

export function Payments({ name }: { name: string }) {
  const [fromMs, setFromMs] = useState<number | null>(null);
  return (
    <Card title="Payments">
      {fromMs === null ? (
        <p class="asked">
          <button type="button" class="button" onClick={() => setFromMs(serverNow() - DAYS * DAY_MS)}>
            Show the payments of the last {DAYS} days
          </button>
        </p>
      ) : (
        <Shown name={name} fromMs={fromMs} />
      )}
    </Card>
  );
}

function Shown({ name, fromMs }: { name: string; fromMs: number }) {
  const { session } = useSession();
  const from = new Date(fromMs).toISOString();
  const { value, problem } = useAnswer<{ lines: StatementLine[] }>(
    `/api/v1/accounts/${encodeURIComponent(name)}/statement?from=${from}`,
    EVERY_MS,
  );
  const payments = paymentsOf(value?.lines ?? []);
  return (
    <>
      <Problem problem={problem} />
      {payments.length > 0 && (
        <p class="note">
          Together {btc(sumOf(payments))} BTC since {moment(fromMs)}.
        </p>
      )}
      <Rows<StatementLine>
        title="Payments"
        rows={payments}
        empty={`Nothing was paid in the last ${DAYS} days.`}
        missing={missing({ value, problem })}
        columns={[
          {
            title: "Payout",
            className: "short",
            show: (row) => (maySee(session, "payouts") ? <a href={link("payouts", row.ref)}>{row.ref}</a> : row.ref),
          },
          { title: "BTC", numeric: true, show: (row) => btc(-row.amount_sat) },
          { title: "Time", numeric: true, show: (row) => moment(row.time_ms) },
          { title: "State", show: (row) => PAID[row.kind] },
          { title: "Transaction", className: "mono", show: (row) => row.txid ?? UNKNOWN },
        ]}
      />
    </>
  );
}
