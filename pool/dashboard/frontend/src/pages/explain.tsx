// How a credit, a payout, a balance or a refused share came about: what `steppe explain` prints.
import { shortHash, visible } from "../format";
import { useAnswer } from "../live";
import { Path, Problem } from "../parts";
import { link } from "../router";

export type Explained = "credit" | "payout" | "balance" | "reject";

const COLUMNS = / {5}/; // of numbers, which stand under each other
const EVERY_MS = 30_000; // what it is made of was booked long ago

// The pages that lead to it.
function above(kind: string, id: string): [title: string, href: string][] {
  const account = kind === "credit" ? id.slice(id.lastIndexOf(":") + 1) : id;
  if (kind === "payout") return [["Payouts", link("payouts")], [visible(id), link("payouts", id)]];
  if (kind === "reject") return [["Workers", link("workers")]];
  // Of a period of pay per share the id does not say whose it is.
  if (kind === "credit" && !BLOCK_CREDIT.test(id)) return [["Accounts", link("accounts")]];
  return [["Accounts", link("accounts")], [visible(account), link("accounts", account)]];
}

function title(kind: string, id: string): string {
  if (kind === "payout") return "explained";
  if (kind === "balance") return "balance";
  if (kind === "reject") return `share ${visible(id)}`;
  const block = BLOCK_CREDIT.exec(id)?.[1];
  return `credit ${block === undefined ? visible(id) : `of block ${block.length > HEIGHT_DIGITS ? shortHash(block) : block}`}`;
}

const BLOCK_CREDIT = /^([0-9a-f]+):[^:]+$/; // by its hash or its height
const HEIGHT_DIGITS = 10;

export function why(kind: Explained, id: string): string {
  return link("explain", kind, id);
}

export function ExplainPage({ kind, id }: { kind: string; id: string }) {
  const { value, problem } = useAnswer<{ words: string[] }>(
    `/api/v1/explain/${encodeURIComponent(kind)}/${encodeURIComponent(id)}`,
    EVERY_MS,
  );
  return (
    <>
      <Path above={above(kind, id)}>{title(kind, id)}</Path>
      <Problem problem={problem} />
      {value && (
        <div class="card explained" tabIndex={0} role="region" aria-label="Explanation">
          {value.words.map((line, number) =>
            COLUMNS.test(line) ? (
              <p key={number} class="columns">
                {visible(line)}
              </p>
            ) : (
              <p key={number} data-indent={/^ */.exec(line)?.[0].length}>
                {visible(line.trimStart())}
              </p>
            ),
          )}
        </div>
      )}
    </>
  );
}
