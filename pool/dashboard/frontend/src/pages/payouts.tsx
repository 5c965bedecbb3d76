// Payments to the accounts, a batch to a transaction.
import type { Page, Payout, PayoutDetail } from "../api";
import { btc, count, moment, shortHash, UNKNOWN, visible, words } from "../format";
import { Listing } from "../listing";
import { useAnswer } from "../live";
import { giveFile, Orders } from "../orders/office";
import { accounts, paidAccounts, payoutOrders, payoutsOrders, stateInWords } from "../orders/payouts";
import { coinsOrder, type Reserve, reserveInWords, reserveOrders } from "../orders/reserve";
import { Card, Facts, missing, Path, Problem, Rows, TableCard } from "../parts";
import { link, type Place } from "../router";
import { mayOrder, useSession } from "../session";
import { Ledger } from "./blocks";
import { why } from "./explain";

export function PayoutsPage({ place }: { place: Place }) {
  const { value } = useAnswer<Page<Payout> & { stopped: string | null }>("/api/v1/payouts?per_page=1");
  const { session } = useSession();
  return (
    <>
      {value?.stopped && <p class="notice">Payouts are stopped: {value.stopped}</p>}
      {value && <Orders orders={[...payoutsOrders(value.stopped), coinsOrder()]} right="payouts" />}
      <Listing<Payout>
        title="Payouts"
        place={place}
        path="/api/v1/payouts"
        one="payout"
        many="payouts"
        empty={
          "Nothing was paid yet. Balances above an account's threshold are paid in batches once a day, if " +
          "`payouts.enabled` is set."
        }
        columns={[
          {
            title: "Number",
            className: "short",
            show: (row) => <a href={link("payouts", String(row.id))}>{count(row.id)}</a>,
          },
          { title: "State", className: "state", state: progress, show: (row) => <span>{words(row.state)}</span> },
          { title: "Total BTC", numeric: true, show: (row) => btc(row.total_sat) },
          { title: "Network fee BTC", numeric: true, show: (row) => btc(row.fee_sat) },
          { title: "Transaction", className: "mono", show: (row) => shortHash(row.txid) },
          { title: "Confirmations", numeric: true, show: confirmations },
          { title: "Made", numeric: true, show: (row) => moment(row.created_ms) },
        ]}
      />
      {mayOrder(session, "payouts") && <ReserveOf />}
    </>
  );
}

// The mark of its state: hollow before it is sent, half while it may still be undone.
function progress({ state }: Payout): string {
  if (state === "final") return "mature";
  if (state === "broadcast" || state === "confirmed") return "immature";
  return state === "released" || state === "cancelled" ? "off" : "candidate";
}

// What was never sent can have none.
export function confirmations(payout: Payout): string {
  return payout.first_sent_ms === null ? UNKNOWN : count(payout.confirmations);
}

// An owner is not told what the whole batch cost.
export function networkFee({ payout: { fee_sat, txid }, attempts }: PayoutDetail): string {
  if (fee_sat !== null) return `${btc(fee_sat)} BTC`;
  const draft = attempts.at(-1);
  if (txid === null && draft) return `${btc(draft.fee_sat)} BTC, once it is signed as it is`;
  return txid === null ? "not known before it is built" : UNKNOWN;
}

// What pay per share is paid from.
function ReserveOf() {
  const { value, problem } = useAnswer<Reserve>("/api/v1/reserve", RESERVE_EVERY_MS);
  return (
    <>
      <Card title="Reserve of pay per share">
        <p class="note">{value ? reserveInWords(value) : problem ?? "Loading"}</p>
        <Rows<Reserve["stops"][number]>
          title="When it was used up, and went on"
          rows={[...(value?.stops ?? [])].reverse()}
          empty="It was never used up."
          missing={missing({ value, problem })}
          columns={[
            { title: "From height", show: (row) => count(row.from_height) },
            { title: "Pay per share", show: (row) => (row.is_stopped ? "stopped" : "went on") },
            { title: "Why", className: "wrapping", show: (row) => visible(row.reason) },
            { title: "Decided", numeric: true, show: (row) => moment(row.decided_ms) },
          ]}
        />
      </Card>
      {value && <Orders orders={reserveOrders(value)} right="payouts" />}
    </>
  );
}

// It adds up the ledger, and changes slowly.
const RESERVE_EVERY_MS = 30_000;

export function PayoutPage({ number }: { number: string }) {
  const { value, problem } = useAnswer<PayoutDetail>(`/api/v1/payouts/${encodeURIComponent(number)}`);
  const payout = value?.payout;
  return (
    <>
      <Path above={[["Payouts", link("payouts")]]}>{visible(number)}</Path>
      <Problem problem={problem} />
      {value && payout && (
        <>
          <Orders
            orders={payoutOrders(value, (psbt) => giveFile(`payout-${payout.id}.psbt`, `${psbt}\n`))}
            right="payouts"
          />
          <p class="links">
            <a href={why("payout", number)}>Explained step by step</a>
          </p>
          <div class="card padded">
            <Facts
              className="facts"
              facts={[
                ["State", stateInWords(payout.state)],
                ["Total", `${btc(payout.total_sat)} BTC to ${accounts(paidAccounts(value))}`],
                ["Network fee", networkFee(value)],
                ["Transaction", payout.txid === null ? "none signed yet" : <span class="mono">{payout.txid}</span>],
                ["Confirmations", confirmations(payout)],
                ["Made", moment(payout.created_ms)],
                ["First sent", payout.first_sent_ms === null ? "not yet" : moment(payout.first_sent_ms)],
              ]}
            />
          </div>
          <TableCard
            title="Paid accounts"
            rows={value.lines}
            empty="Nobody is paid by it."
            columns={[
              { title: "Account", show: (row) => <a href={link("accounts", row.account)}>{visible(row.account)}</a> },
              { title: "BTC", numeric: true, show: (row) => btc(row.amount_sat) },
              { title: "Address", className: "mono", show: (row) => row.address },
            ]}
          />
          <TableCard
            title="Transactions"
            rows={value.attempts}
            empty="None yet."
            columns={[
              { title: "Number", className: "short", show: (row) => count(row.number) },
              { title: "Purpose", show: (row) => row.purpose },
              { title: "Signed", show: (row) => (row.is_signed ? "yes" : "no") },
              { title: "Fee BTC", numeric: true, show: (row) => btc(row.fee_sat) },
              { title: "Size, vB", numeric: true, show: (row) => count(row.vbytes) },
              { title: "sat/vB", numeric: true, show: (row) => (row.fee_sat / row.vbytes).toFixed(1) },
              { title: "Transaction", className: "mono", show: (row) => row.txid },
            ]}
          />
          <Ledger rows={value.ledger} />
        </>
      )}
    </>
  );
}
