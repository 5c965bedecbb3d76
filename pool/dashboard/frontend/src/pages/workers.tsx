// The machines: all of them as a table, and one with what was refused of it and why.
import type { Reject, Worker } from "../api";
import { age, count, error, hashrate, moment, percent, scaled, shortAge, title, visible, words } from "../format";
import { Listing } from "../listing";
import { useAnswer, useNow } from "../live";
import { Breakable, type Column, Facts, Figure, Panel, Path, Problem, TableCard } from "../parts";
import { RateBars, RateCell, rejectNote, refused } from "../rates";
import { link, linkWith, type Place } from "../router";
import { mayGo, useSession } from "../session";
import { why } from "./explain";
import { GroupBy, type Grouping, GROUPINGS, GroupsPage, membersOf } from "./groups";

function columns(now: number): Column<Worker>[] {
  const rate = (title: string, key: "1m" | "5m" | "1h" | "24h", className?: string): Column<Worker> => ({
    title,
    sort: `hashrate_${key}`,
    numeric: true,
    ...(className ? { className } : {}),
    state: (row) => (row.activity.hashrate[key].hps === 0 ? "none" : "some"),
    show: (row) => <RateCell rate={row.activity.hashrate[key]} />,
  });
  return [
    { title: "Worker", sort: "login", show: (row) => <a href={link("workers", row.login)}><Breakable name={row.login} after="." /></a> },
    {
      title: "State",
      sort: "sessions",
      className: "state",
      state: (row) => (row.sessions === 0 ? "off" : "ok"),
      show: (row) => (
        <span>{row.sessions === 0 ? "offline" : row.sessions === 1 ? "online" : `${row.sessions} sessions`}</span>
      ),
    },
    rate("1 min", "1m", "roomy"), // half of it is noise at one share each ten seconds
    rate("5 min", "5m"),
    rate("1 hour", "1h"),
    rate("24 hours", "24h"),
    { title: "Difficulty", sort: "difficulty", numeric: true, show: (row) => scaled(row.difficulty) },
    { title: "Accepted", sort: "accepted", numeric: true, show: (row) => count(row.activity.accepted) },
    {
      title: "Rejected",
      sort: "rejected",
      numeric: true,
      className: "reasons",
      show: (row) => (
        <>
          {count(refused(row.activity))} <small>{rejectNote(row.activity)}</small>
        </>
      ),
    },
    {
      title: "Last share",
      sort: "last_share",
      numeric: true,
      show: (row) => shortAge(row.activity.last_share_ms, now),
    },
  ];
}

const FILTERS = ["account", "site", "rack", "firmware"];

export function WorkersPage({ place }: { place: Place }) {
  const now = useNow();
  const by = place.parameters.get("by") ?? "";
  if (by in GROUPINGS) return <GroupsPage place={place} by={by as Grouping} />;
  return (
    <Listing<Worker>
      title="Workers"
      place={place}
      path="/api/v1/workers"
      columns={columns(now)}
      one="worker"
      many="workers"
      search="Search account or worker"
      sort="login"
      filters={FILTERS}
      csv
      empty="No miner has connected yet. How to connect one stands at the foot of this page."
    >
      <GroupBy place={place} by="" />
    </Listing>
  );
}

interface WorkerAnswer {
  worker: Worker | null;
  rejects: Reject[];
  unavailable: Record<string, string>;
}

export function WorkerPage({ login }: { login: string }) {
  const now = useNow();
  const { session } = useSession();
  const { value, problem } = useAnswer<WorkerAnswer>(`/api/v1/workers/${encodeURIComponent(login)}`);
  const worker = value?.worker;
  const activity = worker?.activity;
  return (
    <>
      <Path above={[["Workers", link("workers")]]}>{visible(login)}</Path>
      <Problem problem={problem} unavailable={value?.unavailable ?? {}} />
      {value && !worker && <p class="notice">It sent no share lately and is not connected.</p>}
      {worker && activity && (
        <div class="panels">
          <Panel title="Hashrate over 5 minutes" wide>
            <Figure value={hashrate(activity.hashrate["5m"].hps, 4)} note={error(activity.hashrate["5m"])} />
            <RateBars activity={activity} />
          </Panel>
          <Panel title="Connection">
            <Figure value={worker.sessions ? "online" : "offline"} />
            <Facts
              facts={[
                ["Sessions", count(worker.sessions)],
                ["Difficulty", scaled(worker.difficulty)],
                [
                  "Account",
                  mayGo(session, "accounts") ? (
                    <a href={link("accounts", worker.account)}>{visible(worker.account)}</a>
                  ) : (
                    visible(worker.account)
                  ),
                ],
                ["Last share", age(activity.last_share_ms, now)],
                ["Site", worker.site ? <a href={linkWith("workers", { site: worker.site })}>{worker.site}</a> : "none"],
                ["Rack", worker.rack ? <a href={membersOf("rack", { name: worker.rack, account: worker.account })}>{visible(worker.rack)}</a> : "none"],
                ["Firmware", worker.agent ? <a href={membersOf("firmware", { name: worker.agent, account: null })}>{visible(worker.agent)}</a> : "not known"],
              ]}
            />
          </Panel>
          <Panel title="Shares rejected">
            <Figure
              value={percent(refused(activity) / Math.max(1, refused(activity) + activity.accepted))}
              note={`${count(refused(activity))} shares`}
            />
            <Facts
              facts={[
                ["Accepted", count(activity.accepted)],
                ...Object.entries(activity.rejected).map(([reason, number]): [string, string] => [
                  title(reason),
                  count(number),
                ]),
              ]}
            />
          </Panel>
        </div>
      )}
      {value && (
        <TableCard<Reject>
          title="Newest refused shares"
          rows={value.rejects}
          empty="Nothing of it was refused lately."
          columns={[
            { title: "Time", show: (row) => moment(row.time_ms) },
            { title: "Reason", show: (row) => words(row.reason) },
            { title: "What the miner was told", show: (row) => visible(row.text) },
            { title: "Job", className: "mono", show: (row) => visible(row.job_id) || "–" },
            {
              title: "Age of the job",
              numeric: true,
              show: (row) => (row.job_age_ms === null ? "not known" : `${(row.job_age_ms / 1000).toFixed(1)} s`),
            },
            { title: "Why", show: (row) => row.id && <a href={why("reject", row.id)}>explained</a> },
          ]}
        />
      )}
    </>
  );
}
