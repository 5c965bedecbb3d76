// How a credit, a payout, a balance or a refused share came about: what `steppe explain` prints.
import { visible } from "../format";
import { useAnswer } from "../live";
import { Problem } from "../parts";
import { link } from "../router";

export type Explained = "credit" | "payout" | "balance" | "reject";

const TITLES: Record<Explained, string> = {
  credit: "A credit",
  payout: "A payout",
  balance: "A balance",
  reject: "A share",
};
const COLUMNS = / {5}/; // of numbers, which stand under each other
const EVERY_MS = 30_000; // what it is made of was booked long ago

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
      <h2 class="title">
        {TITLES[kind as Explained] ?? "Explained"} / {visible(id)}
      </h2>
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
