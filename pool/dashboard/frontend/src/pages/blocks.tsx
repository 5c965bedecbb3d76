// The blocks that the pool found, and who has what of one.
import type { Block, BlockDetail, LedgerRow } from "../api";
import {
  age,
  btc,
  count,
  duration,
  moment,
  percent,
  schemeName,
  shortAge,
  shortHash,
  UNKNOWN,
  visible,
  words,
} from "../format";
import { Listing } from "../listing";
import { useAnswer, useLive, useNow } from "../live";
import { holdOrder, mayBeHeld, type WaitingBlock, waitingOrder } from "../orders/blocks";
import { Orders, Press, useOffice } from "../orders/office";
import { Card, Facts, Path, Problem, Rows, TableCard } from "../parts";
import { link, type Place } from "../router";
import { mayOrder, useSession } from "../session";
import { why } from "./explain";

const MATURE_AT = 101; // a coinbase can be spent 100 blocks after its own

const STATES: [string, string][] = [
  ["", "All states"],
  ["candidate", "Candidates"],
  ["immature", "Immature"],
  ["mature", "Mature"],
  ["orphaned", "Orphaned"],
  ["dead", "Dead"],
];

export function BlocksPage({ place }: { place: Place }) {
  const now = useNow();
  const expected = useLive().overview?.luck.expected_seconds;
  const { session } = useSession();
  return (
    <>
      {mayOrder(session, "payouts") && <WaitingBlocks />}
      <Listing<Block>
        title="Blocks"
        place={place}
        path="/api/v1/blocks"
        one="block"
        many="blocks"
        choices={[{ parameter: "state", label: "State of the blocks", options: STATES }]}
        empty={
          expected == null
            ? "No block yet."
            : `No block yet. At this hashrate one is expected every ${duration(expected)}.`
        }
        columns={[
          {
            title: "Height",
            className: "short",
            show: (row) => <a href={link("blocks", row.hash_hex)}>{count(row.height)}</a>,
          },
          { title: "State", className: "state", state: (row) => row.state, show: (row) => <span>{row.state}</span> },
          { title: "Found", numeric: true, show: (row) => shortAge(row.found_ms, now) },
          { title: "Reward BTC", numeric: true, show: (row) => btc(row.reward_sat) },
          {
            title: "Confirmations",
            numeric: true,
            show: (row) => (
              <>
                {count(row.confirmations)} <small>{row.state === "immature" && `of ${MATURE_AT}`}</small>
              </>
            ),
          },
          { title: "Credits", numeric: true, show: (row) => count(row.credits) },
          { title: "Finder", show: finder },
          { title: "Hash", className: "mono", show: (row) => shortHash(row.hash_hex) },
        ]}
      />
    </>
  );
}

// Who may not know who found it is told nobody.
function finder(block: Block) {
  return block.finder ? <a href={link("workers", block.finder)}>{visible(block.finder)}</a> : UNKNOWN;
}

// Only shown while there is one.
function WaitingBlocks() {
  const { value, problem } = useAnswer<{ rows: WaitingBlock[] }>("/api/v1/blocks/held");
  const office = useOffice();
  return (
    <div class="orders">
      <Problem problem={problem} />
      {value && value.rows.length > 0 && (
        <TableCard<WaitingBlock>
          title="Blocks that wait for you"
          rows={value.rows}
          empty=""
          columns={[
            { title: "Block", className: "mono", show: (row) => shortHash(row.hash) },
            { title: "Why", show: (row) => (row.why === "held" ? "held" : "not in the books") },
            { title: "What is said of it", className: "wrapping", show: (row) => visible(row.reason) },
            { title: "Since", numeric: true, show: (row) => moment(row.since_ms) },
            {
              title: "Order",
              show: (row) => <Press spec={waitingOrder(row)} office={office} about={shortHash(row.hash)} />,
            },
          ]}
        />
      )}
      {office.panel}
    </div>
  );
}

// Beside the facts of one block.
function BlockOrders({ block }: { block: Block }) {
  const { value } = useAnswer<{ rows: WaitingBlock[] }>("/api/v1/blocks/held");
  const held = value?.rows.find((each) => each.hash === block.hash_hex);
  const orders = held ? [waitingOrder(held)] : value && mayBeHeld(block, value.rows) ? [holdOrder(block)] : [];
  return (
    <>
      {held && <p class="notice">This block is held: {visible(held.reason)}</p>}
      <Orders orders={orders} right="payouts" />
    </>
  );
}

export function BlockPage({ hash }: { hash: string }) {
  const { value, problem } = useAnswer<BlockDetail>(`/api/v1/blocks/${encodeURIComponent(hash)}`);
  const block = value?.block;
  const now = useNow();
  const { session } = useSession();
  return (
    <>
      <Path above={[["Blocks", link("blocks")]]}>{block ? count(block.height) : visible(shortHash(hash))}</Path>
      <Problem problem={problem} />
      {block && mayOrder(session, "payouts") && <BlockOrders block={block} />}
      {block && (
        <div class="card padded">
          <Facts
            className="facts"
            facts={[
              ["Hash", <span class="mono">{block.hash_hex}</span>],
              ["State", block.state],
              ["Confirmations", count(block.confirmations) + (block.state === "immature" ? ` of ${MATURE_AT}` : "")],
              ["Finder", finder(block)],
              ["Reward", block.reward_sat === null ? "not seen on the chain yet" : `${btc(block.reward_sat)} BTC`],
              ["Found", `${moment(block.found_ms)}, ${age(block.found_ms, now)}`],
            ]}
          />
        </div>
      )}
      {value && (
        <TableCard
          title="Credits"
          rows={value.credits}
          empty="Credits follow the first confirmation."
          columns={[
            { title: "Account", show: (row) => <a href={link("accounts", row.account)}>{visible(row.account)}</a> },
            // Shares under PPS were bought by the reserve, which therefore gets their part of the block.
            {
              title: "Scheme",
              show: (row) => (row.scheme === "pps" ? "PPS, to the reserve" : schemeName(row.scheme)),
            },
            { title: "Of the window", numeric: true, show: (row) => percent(row.window_share) },
            { title: "Gross BTC", numeric: true, show: (row) => btc(row.gross_sat) },
            { title: "Fee BTC", numeric: true, show: (row) => btc(row.fee_sat) },
            { title: "BTC", numeric: true, show: (row) => btc(row.amount_sat) },
            {
              title: "How it came about",
              show: (row) => <a href={why("credit", `${hash}:${row.account}`)}>explained</a>,
            },
          ]}
        />
      )}
      {value && <Ledger rows={value.ledger} />}
    </>
  );
}

export function Ledger({ rows }: { rows: LedgerRow[] }) {
  return (
    <Card title="Ledger" note="What is owed is negative.">
      <Rows<LedgerRow>
        title="Ledger (what is owed is negative)"
        rows={rows}
        empty="Nothing is booked yet."
        columns={[
          { title: "Posting", show: (row) => words(row.kind) },
          { title: "Account", show: (row) => visible(row.account) },
          { title: "BTC", numeric: true, show: (row) => btc(row.amount_sat) },
          { title: "Time", numeric: true, show: (row) => moment(row.time_ms) },
        ]}
      />
    </Card>
  );
}
