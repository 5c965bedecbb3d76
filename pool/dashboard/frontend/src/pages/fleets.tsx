// Fleets as they are known to be now: sites, contracts, batches, and what each worker's name means.
import type { Group, Page } from "../api";
import { count, distance, hashrate, moment, power, shortAge, title, UNKNOWN, visible, words } from "../format";
import { RateCell } from "../rates";
import {
  type Alarm,
  type Assignment,
  atSite,
  type Batch,
  type Contract,
  type Count,
  type Fact,
  STAGES,
  type Site,
  type SiteEvent,
  said,
  stepsInWords,
  sum,
  type Unmatched,
} from "../fleet";
import { Listing } from "../listing";
import { useAnswer, useNow } from "../live";
import { Breakable, missing, Problem, TableCard } from "../parts";
import { REPORTS } from "./reports";
import { link, linkWith, type Place } from "../router";

const MINUTE_MS = 60_000;

export function FleetsPage({ place }: { place: Place }) {
  // What holds now; a minute at a time, so that the answer may be asked for again with its ETag.
  const now = useNow();
  const at = new Date(Math.floor(now / MINUTE_MS) * MINUTE_MS).toISOString().replace(".000", "");
  const known = (group: string) => useAnswer<Page<Fact>>(`/api/v1/${group}?at=${at}&per_page=250`);
  const sites = known("sites");
  const contracts = known("contracts");
  const batches = known("batches");
  const assignments = known("assignments");
  const announced = useAnswer<Page<Fact>>("/api/v1/sites?kind=site_event&per_page=250");
  const events = said<SiteEvent>(announced.value?.rows, "site_event");
  const capacities = new Map(
    said<{ site: string; capacity_w: number }>(sites.value?.rows, "capacity").map((each) => [
      each.site,
      each.capacity_w,
    ]),
  );
  // What its machines do now, by the names that their assignments give them.
  const working = useAnswer<Page<Group>>("/api/v1/groups?by=site&per_page=250");
  const groups = new Map((working.value?.rows ?? []).map((each) => [each.name, each]));
  const counts = new Map(said<Count>(batches.value?.rows, "count").map((each) => [each.batch, each]));
  const problem = [sites, contracts, batches, assignments].map((each) => each.problem).find(Boolean) ?? null;
  return (
    <>
      <p class="links">
        Reports:
        {REPORTS.map(([kind, name]) => (
          <a key={kind} href={link("reports", kind)}>
            {name}
          </a>
        ))}
      </p>
      <Problem problem={problem} unavailable={sites.value?.unavailable ?? {}} />
      <Alarms />
      <TableCard<Site>
        title="Sites"
        rows={said(sites.value?.rows, "site")}
        empty="No site yet: `steppe site add` makes one, and `steppe fleet import` takes a whole fleet from files."
        missing={missing(sites, sites.value?.rows)}
        columns={[
          { title: "Site", show: (row) => <a href={linkWith("workers", { site: row.name })}>{visible(row.name)}</a> },
          {
            title: "Online",
            numeric: true,
            show: (row) => online(groups.get(row.name)),
            total: (rows) => online(added(rows.map((row) => groups.get(row.name)))),
          },
          {
            title: "Hashrate, 1 h",
            numeric: true,
            show: (row) => <RateCell rate={groups.get(row.name)?.activity.hashrate["1h"]} />,
            total: (rows) => rate(rows.map((row) => groups.get(row.name)?.activity.hashrate["1h"].hps)),
          },
          {
            title: "Capacity",
            numeric: true,
            show: (row) => power(capacities.get(row.name)),
            total: (rows) => power(sum(rows.map((row) => capacities.get(row.name)))),
          },
          {
            title: "Announced",
            className: "state wrapping",
            state: (row) => {
              const { now: happens, next } = atSite(row.name, events, now);
              return happens.length || next ? "warn" : "ok";
            },
            show: (row) => <span>{atSiteInWords(row.name, events, now)}</span>,
          },
          { title: "Local time", show: (row) => localTime(row.time_zone) },
          { title: "Region", show: (row) => [row.region, row.country].filter(Boolean).join(", ") || UNKNOWN },
          { title: "Host", className: "wrapping", show: (row) => visible(row.host) || UNKNOWN },
        ]}
      />
      <TableCard<Batch>
        title="Batches"
        rows={said(batches.value?.rows, "batch")}
        empty="No batch yet."
        missing={missing(batches, batches.value?.rows)}
        columns={[
          { title: "Batch", show: (row) => <Breakable name={row.name} after="/" /> },
          { title: "Model", show: (row) => visible(row.model) },
          {
            title: "Machines",
            numeric: true,
            show: (row) => count(row.machines),
            total: (rows) => count(sum(rows.map((row) => row.machines))),
          },
          {
            title: "Nominal",
            numeric: true,
            show: (row) => hashrate(row.nominal_ghs * 1e9),
            total: (rows) => hashrate(sum(rows.map((row) => row.nominal_ghs * 1e9))),
          },
          ...STAGES.map((stage) => ({
            title: title(stage),
            numeric: true,
            state: (row: Batch) => (counts.get(row.name)?.[stage] ? "some" : "none"),
            show: (row: Batch) => count(counts.get(row.name)?.[stage]),
            total: (rows: Batch[]) => count(sum(rows.map((row) => counts.get(row.name)?.[stage]))),
          })),
          { title: "All planned to hash by", show: (row) => moment(row.planned_ms) },
        ]}
      />
      <TableCard<Contract>
        title="Contracts"
        rows={said(contracts.value?.rows, "contract")}
        empty="No contract yet: what a slice earns is then its account's alone."
        missing={missing(contracts, contracts.value?.rows)}
        columns={[
          { title: "Contract", show: (row) => visible(row.name) },
          { title: "Kind", show: (row) => words(row.kind) },
          { title: "Who has what", show: (row) => visible(stepsInWords(row.steps)) },
          { title: "Site", show: (row) => visible(row.site) || "any" },
          {
            title: "Reserved power",
            numeric: true,
            show: (row) => (row.reserved_w ? power(row.reserved_w) : "–"),
            total: (rows) => power(sum(rows.map((row) => row.reserved_w))),
          },
          {
            title: "Report",
            show: (row) => (
              <a href={uptimeOf(row)} aria-label={`Uptime under ${row.name}`}>
                uptime
              </a>
            ),
          },
        ]}
      />
      <TableCard<Assignment>
        title="Assignments"
        rows={said(assignments.value?.rows, "assignment")}
        empty="No assignment yet: every worker belongs to its account alone."
        missing={missing(assignments, assignments.value?.rows)}
        columns={[
          {
            title: "Workers",
            show: (row) => (
              <a href={`${link("workers")}?q=${encodeURIComponent(`${row.account}.${row.pattern.split("*")[0]}`)}`}>
                <Breakable name={`${row.account}.${row.pattern}`} after="." />
              </a>
            ),
          },
          { title: "Fleet", show: (row) => visible(row.fleet) },
          { title: "Site", show: (row) => visible(row.site) },
          { title: "Batch", show: (row) => visible(row.batch) || UNKNOWN },
          { title: "Contract", show: (row) => visible(row.contract) || UNKNOWN },
        ]}
      />
      <Listing<Unmatched>
        title="Workers that fit no assignment"
        place={place}
        path="/api/v1/unmatched"
        one="worker"
        many="workers"
        empty="None: every worker at work fits an assignment, or there are no assignments."
        columns={[
          {
            title: "Worker",
            show: (row) => (
              <a href={link("workers", `${row.account}.${row.worker}`)}>{visible(`${row.account}.${row.worker}`)}</a>
            ),
          },
          { title: "Account", show: (row) => <a href={link("accounts", row.account)}>{visible(row.account)}</a> },
        ]}
      />
    </>
  );
}

// One line for a dark site rather than one for each of its machines; nothing is shown while nothing is dark.
function Alarms() {
  const { value } = useAnswer<{ rows: Alarm[] | null; unavailable: Record<string, string> }>("/api/v1/alarms");
  const now = useNow();
  if (!value?.rows?.length) return <Problem unavailable={value?.unavailable ?? {}} />;
  return (
    <TableCard<Alarm>
      title="Dark, and should hash"
      rows={value.rows}
      empty=""
      columns={[
        { title: "What", show: (row) => `${words(row.kind)} ${visible(row.name)}` },
        {
          title: "Dark",
          className: "state",
          state: () => "down",
          show: (row) => (
            <span>
              {count(row.dark)} of {count(row.machines)}
            </span>
          ),
        },
        { title: "Which", show: (row) => row.parts.map(visible).join(", ") },
        { title: "Since", numeric: true, show: (row) => shortAge(row.since_ms, now) },
      ]}
    />
  );
}

function atSiteInWords(site: string, events: SiteEvent[], nowMs: number): string {
  const { now, next } = atSite(site, events, nowMs);
  const coming = next ? [`${words(next.kind)} ${distance(next.valid_from_ms, nowMs)}`] : [];
  return [...now.map(words), ...coming].join(", ") || "nothing";
}

function online(group: { workers: number; workers_online: number } | undefined) {
  if (!group) return UNKNOWN;
  return (
    <>
      {count(group.workers_online)} <small>of {count(group.workers)}</small>
    </>
  );
}

function added(groups: (Group | undefined)[]) {
  const [workers, workers_online] = [sum(groups.map((each) => each?.workers)), sum(groups.map((each) => each?.workers_online))];
  return workers === null || workers_online === null ? undefined : { workers, workers_online };
}

// The column has an error beside each rate; a sum stands where they do.
function rate(parts: (number | undefined)[]) {
  return (
    <>
      {hashrate(sum(parts))} <small />
    </>
  );
}

function uptimeOf(contract: Contract): string {
  return `${link("reports", "sla")}?contract=${encodeURIComponent(contract.name)}`;
}

function localTime(zone: string): string {
  try {
    const time = new Date().toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    return `${time} ${zone}`;
  } catch {
    return zone; // a zone that this browser does not know
  }
}
