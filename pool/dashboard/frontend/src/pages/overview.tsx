// The pool at a glance.
import type { Activity, Health, Overview } from "../api";
import { age, btc, count, duration, error, hashrate, moment, percent, scaled, shortHash, title, UNKNOWN, words } from "../format";
import { HashrateChart } from "../history";
import { useLive, useNow } from "../live";
import { Facts, Figure, Panel, Typed } from "../parts";
import { RateBars } from "../rates";
import { link } from "../router";
import { mayGo, seesMoney, useSession } from "../session";
import { placeOf, wrongFirst } from "../verdict";
import { hasRegions, worstWork } from "../work";

const EFFORT_SHOWN = 3; // the bar ends at three times the expected work, which one round in twenty reaches
const REASONS_SHOWN = 4;
const CHAINS: Record<string, string> = {
  majority: "majority chain",
  minority: "minority chain",
  unknown: "not compared",
};

export function OverviewPage() {
  const { overview } = useLive();
  const { session } = useSession();
  if (!overview) return <p class="empty">Loading</p>;
  return (
    <>
      <Silence overview={overview} />
      <First overview={overview} />
      <Checks health={overview.health} />
      <h2 class="hidden">The pool now</h2>
      <div class="panels spaced">
        <Hashrate activity={overview.activity} />
        <Online overview={overview} />
        <Shares activity={overview.activity} />
        <section class="panel whole">
          <HashrateChart path="/api/v1/history" />
        </section>
        <Tip overview={overview} />
        <Luck overview={overview} />
        <Found overview={overview} />
        {seesMoney(session) && <Owed overview={overview} />}
      </div>
    </>
  );
}

export function connectHint(port: number): string {
  return `Miners connect to stratum+tcp://${location.hostname}:${port} as ACCOUNT.WORKER with any password.`;
}

// What an operator of a new pool does next; who is told of a part only is not told what others have.
function First({ overview: { pool, presence, activity } }: { overview: Overview }) {
  if (pool.stratum_port === null || presence?.workers !== 0 || activity?.last_share_ms !== null) return null;
  return <p class="notice calm">No share has come yet. {connectHint(pool.stratum_port)}</p>;
}

// What is wrong is shown all the same.
export function Silence({ overview: { silenced_until_ms: until } }: { overview: Overview }) {
  const now = useNow();
  if (until === null || until <= now) return null;
  return (
    <p class="notice calm">
      Maintenance until {moment(until)}, for {duration((until - now) / 1000)} more: messages and alerts are silent, but for
      those about blocks and money.
    </p>
  );
}

// Numbers come first while all is well; else what is wrong, and how to mend it.
function Checks({ health }: { health: Health }) {
  const wrong = wrongFirst(health.checks).filter((check) => check.state !== "ok" && check.state !== "unknown");
  const unknown = health.checks.filter((check) => check.state === "unknown");
  const well = health.checks.length - wrong.length - unknown.length;
  return (
    <section class="checks">
      <h2 class="hidden">Health</h2>
      <ul class="mends">
        {wrong.map((check) => (
          <li key={check.name} data-state={check.state}>
            <b class="mark">
              <a href={link(placeOf(check.name))}>{title(check.name)}</a>
            </b>
            <span>
              <Typed text={check.text} />
            </span>
            <small>
              <Typed text={check.mend ?? ""} />
            </small>
          </li>
        ))}
        {unknown.length > 0 && (
          <li data-state="unknown">
            <b class="mark">Not known while that is so</b> <span>{unknown.map((check) => words(check.name)).join(", ")}</span>
          </li>
        )}
      </ul>
      <p class="well" data-state={wrong.length + unknown.length ? "unknown" : "ok"}>
        <b class="mark">{wrong.length + unknown.length ? `${well} of ${health.checks.length} checks are well` : `All ${well} checks are well`}</b>{" "}
        <a href={link("health")}>what is checked</a>
      </p>
    </section>
  );
}

function Hashrate({ activity }: { activity: Activity | null }) {
  const main = activity?.hashrate["5m"];
  return (
    <Panel title="Pool hashrate" wide>
      <Figure value={hashrate(main?.hps, 4)} note={main ? `${error(main)} over 5 min` : ""} />
      <RateBars activity={activity} />
    </Panel>
  );
}

function Online({ overview: { presence, activity } }: { overview: Overview }) {
  const now = useNow();
  return (
    <Panel title="Workers online">
      <Figure value={count(presence?.workers_online)} note={presence ? `of ${count(presence.workers)} known` : ""} />
      <Facts
        facts={[
          [
            "Offline",
            presence ? (
              <a href={`${link("workers")}?sort=sessions`}>{count(presence.workers - presence.workers_online)}</a>
            ) : (
              UNKNOWN
            ),
          ],
          ["Connections", count(presence?.sessions)],
          ["Accounts active", count(presence?.accounts)],
          ["Newest share", activity && activity.last_share_ms === null ? "none yet" : age(activity?.last_share_ms, now)],
        ]}
      />
    </Panel>
  );
}

function Shares({ activity }: { activity: Activity | null }) {
  const counts = { stale: 0, duplicate: 0, low_difficulty: 0, ...activity?.rejected };
  const reasons = Object.entries(counts).sort((one, other) => other[1] - one[1]);
  const rejected = reasons.reduce((sum, [, number]) => sum + number, 0);
  const all = rejected + (activity?.accepted ?? 0);
  return (
    <Panel title="Shares rejected">
      <Figure
        value={activity ? percent(all ? rejected / all : 0) : UNKNOWN}
        note={activity ? `${count(rejected)} of ${count(all)} shares` : ""}
      />
      <Facts
        facts={[
          ["Accepted", count(activity?.accepted)],
          ...reasons
            .slice(0, REASONS_SHOWN)
            .map(([reason, number]): [string, string] => [title(reason), activity ? count(number) : UNKNOWN]),
        ]}
      />
    </Panel>
  );
}

function Tip({ overview: { roles } }: { overview: Overview }) {
  const now = useNow();
  const worst = worstWork(roles?.work);
  const job = worst?.role.job;
  return (
    <Panel title="Chain tip">
      {/* the job is for the block after the tip */}
      <Figure value={count(job && job.height - 1)} note={job ? CHAINS[worst?.role.chain?.verdict ?? ""] ?? "" : ""} />
      <Facts
        facts={[
          ...(worst && hasRegions(roles?.work) ? [["As region", worst.region] as [string, string]] : []),
          ["Hash", <span class="mono">{shortHash(job?.tip_hash_hex)}</span>],
          ["Template age", job ? duration(Math.max(0, Math.floor((now - job.template_ms) / 1000))) : UNKNOWN],
          ["Transactions", count(job?.transactions)],
          ["Difficulty", scaled(job?.network_difficulty, 4)],
        ]}
      />
    </Panel>
  );
}

function Luck({ overview: { luck, books } }: { overview: Overview }) {
  const now = useNow();
  const day = luck.block_within_day;
  return (
    <Panel title="Next block">
      <Figure
        value={duration(luck.expected_seconds)}
        note={luck.expected_seconds === null ? "" : "on average, at this hashrate"}
      />
      <div class="effort" aria-hidden="true" title="The mark is at 100\u202F%: the work that a block takes on average">
        <i style={{ width: `${Math.min((luck.effort ?? 0) / EFFORT_SHOWN, 1) * 100}%` }} />
      </div>
      <Facts
        facts={[
          ["Effort since the last block", percent(luck.effort)],
          ["Chance within 24 hours", day !== null && day > 0.999 ? ">99.9\u202F%" : percent(day)],
          [
            "Last block",
            <span title={moment(books?.last_block_ms)}>
              {books && books.last_block_ms === null ? "none yet" : age(books?.last_block_ms, now)}
            </span>,
          ],
        ]}
      />
    </Panel>
  );
}

function Found({ overview: { books } }: { overview: Overview }) {
  const states = books?.blocks ?? {};
  const of = (state: string) => (books ? count(states[state] ?? 0) : UNKNOWN);
  const lost = (states.orphaned ?? 0) + (states.dead ?? 0);
  return (
    <Panel title="Blocks found">
      <Figure value={books ? count(Object.values(states).reduce((sum, number) => sum + number, 0)) : UNKNOWN} />
      <Facts
        facts={[
          ["Mature", of("mature")],
          ["Immature", of("immature")],
          ["Candidates", of("candidate")],
          ["Orphaned or dead", books ? count(lost) : UNKNOWN],
        ]}
      />
    </Panel>
  );
}

function Owed({ overview: { books } }: { overview: Overview }) {
  const { session } = useSession();
  const number = count(books?.accounts);
  return (
    <Panel title="Available to accounts, BTC">
      <Figure value={btc(books?.available_sat)} />
      <Facts
        facts={[
          ["Immature", btc(books?.immature_sat)],
          ["Owed in all", btc(books && books.available_sat + books.immature_sat)],
          ["Accounts", books && mayGo(session, "accounts") ? <a href={link("accounts")}>{number}</a> : number],
        ]}
      />
    </Panel>
  );
}
