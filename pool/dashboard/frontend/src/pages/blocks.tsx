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

const MEANS: Record<string, string> = {
  candidate: "it is not in the chain yet",
  immature: "it is in the chain, and its coins cannot be spent yet",
  mature: "its coins can be spent, and its credits are available",
  orphaned: "another block took its place, and its credits are taken back",
  dead: "another block took its place before it was ever in the chain",
};

export function stateInWords({ state, confirmations }: Block): string {
  const means = MEANS[state];
  const left = MATURE_AT - confirmations;
  const until = state === "immature" && left > 0 ? `: ${count(left)} more block${left === 1 ? "" : "s"}` : "";
  return means ? `${state}: ${means}${until}` : state;
}

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
            ? "No block yet. How long one takes on average is known once miners send shares."
            : `No block yet. At this hashrate one is expected every ${duration(expected)}.`
        }
        columns={[
          {
            title: "Height",
            className: "short",
            show: (row) => <a href={link("blocks", row.hash_hex)}>{count(row.height)}</a>,
          },
          { title: "State", className: "state", state: (row) => row.state, show: (row) => <span>{row.state}</span> },
          {
            title: "Found",
            numeric: true,
            show: (row) => <span title={moment(row.found_ms)}>{shortAge(row.found_ms, now)}</span>,
          },
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
            {
              title: "Block",
              className: "mono",
              // What is not in the books has no page.
              show: (row) =>
                row.why === "held" ? <a href={link("blocks", row.hash)}>{shortHash(row.hash)}</a> : shortHash(row.hash),
            },
            {
              title: "Order",
              show: (row) => <Press spec={waitingOrder(row)} office={office} about={shortHash(row.hash)} />,
            },
            { title: "Why it waits", show: (row) => (row.why === "held" ? "held" : "not in the books") },
            { title: "What is said of it", className: "wrapping", show: (row) => visible(row.reason) },
            { title: "Since", numeric: true, show: (row) => moment(row.since_ms) },
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
              ["State", stateInWords(block)],
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
          note={value.credits.length ? together(value.credits) + others(value) : undefined}
          rows={value.credits}
          empty={noCredits(value.block)}
          columns={[
            { title: "Account", show: (row) => <a href={link("accounts", row.account)}>{visible(row.account)}</a> },
            { title: "Credited BTC", numeric: true, show: (row) => btc(row.amount_sat) },
            { title: "Fee BTC", numeric: true, show: (row) => btc(row.fee_sat) },
            { title: "Gross BTC", numeric: true, show: (row) => btc(row.gross_sat) },
            // Shares under PPS were bought by the reserve, which therefore gets their part of the block.
            {
              title: "Scheme",
              show: (row) => (row.scheme === "pps" ? "PPS, to the reserve" : schemeName(row.scheme)),
            },
            { title: "Part of the window", numeric: true, show: (row) => percent(row.window_share) },
            {
              title: "How it came about",
              show: (row) => <a href={why("credit", `${hash}:${row.account}`)}>explained</a>,
            },
          ]}
        />
      )}
      {value && <Ledger rows={value.ledger} empty={value.block.credits ? NOT_TOLD : undefined} />}
    </>
  );
}

const NOT_TOLD = "What is booked of it is told to whose it is.";

// Who does not see the whole pool has of the credits only their own, or none.
export function noCredits({ credits, state }: Block): string {
  if (credits === 0) return state === "candidate" ? "Credits follow the first confirmation." : "Nobody was credited for it.";
  return credits === 1 ? "It has 1 credit, told to whose it is." : `It has ${count(credits)} credits, told to whose they are.`;
}

export function others({ block, credits }: BlockDetail): string {
  const number = block.credits - credits.length;
  return number > 0 ? ` It has ${count(number)} more, told to whose they are.` : "";
}

export function together(credits: BlockDetail["credits"]): string {
  const sum = (of: (row: BlockDetail["credits"][number]) => number) => credits.reduce((all, row) => all + of(row), 0);
  return `Together ${btc(sum((row) => row.amount_sat))} BTC, after ${btc(sum((row) => row.fee_sat))} BTC of fees.`;
}

export function Ledger({ rows, empty }: { rows: LedgerRow[]; empty?: string | undefined }) {
  return (
    <Card title="Ledger" note="What the pool has is positive; what it owes, under liab, is negative.">
      <Rows<LedgerRow>
        title="Ledger"
        rows={rows}
        empty={empty ?? "Nothing is booked yet."}
        columns={[
          { title: "Posting", show: (row) => words(row.kind) },
          { title: "BTC", numeric: true, show: (row) => btc(row.amount_sat) },
          { title: "Account", show: (row) => visible(row.account) },
          { title: "Time", numeric: true, show: (row) => moment(row.time_ms) },
        ]}
      />
    </Card>
  );
}
