// The machines added up by where they stand or what they run; each row leads to its machines.
import type { Group } from "../api";
import { count, shortAge, visible } from "../format";
import { Listing } from "../listing";
import { useNow } from "../live";
import { Breakable, type Column } from "../parts";
import { RateCell, refused, rejectNote } from "../rates";
import { linkWith, type Place, without } from "../router";

export const GROUPINGS = { site: "Site", rack: "Rack", firmware: "Firmware" };
export type Grouping = keyof typeof GROUPINGS;

const NONE: Record<Grouping, string> = {
  site: "without an assignment",
  rack: "no rack in the name",
  firmware: "not known",
};
const MANY: Record<Grouping, [one: string, many: string]> = {
  site: ["site", "sites"],
  rack: ["rack", "racks"],
  firmware: ["firmware version", "firmware versions"],
};

export function GroupBy({ place, by }: { place: Place; by: string }) {
  return (
    <select
      aria-label="Group by"
      value={by}
      onChange={(event) => location.replace(grouped(place, event.currentTarget.value))}
    >
      <option value="">Not grouped</option>
      {Object.entries(GROUPINGS).map(([value, text]) => (
        <option key={value} value={value}>
          By {text.toLowerCase()}
        </option>
      ))}
    </select>
  );
}

// Other columns can be sorted and other names searched; which machines are meant stays.
export function grouped(place: Place, by: string): string {
  const rest = without(place, "by", "sort", "order", "q");
  return by ? `${rest}${rest.includes("?") ? "&" : "?"}by=${by}` : rest;
}

export function membersOf(by: Grouping, group: { name: string; account: string | null }): string {
  return linkWith("workers", group.account === null ? { [by]: group.name } : { account: group.account, [by]: group.name });
}

// The server's sum is shown as any group is.
function summed(column: Column<Group>): Column<Group> {
  return { ...column, total: ([all]) => all && column.show(all) };
}

function columns(by: Grouping, now: number): Column<Group>[] {
  const rate = (title: string, key: "5m" | "1h" | "24h"): Column<Group> =>
    summed({
      title,
      sort: `hashrate_${key}`,
      numeric: true,
      state: (row) => (row.activity.hashrate[key].hps === 0 ? "none" : "some"),
      show: (row) => <RateCell rate={row.activity.hashrate[key]} />,
    });
  return [
    {
      title: GROUPINGS[by],
      sort: "name",
      show: (row) => (
        <>
          <a href={membersOf(by, row)}>{row.name ? <Breakable name={row.name} after="/" /> : NONE[by]}</a>{" "}
          {row.account !== null && <small>{visible(row.account)}</small>}
        </>
      ),
    },
    summed({
      title: "Online",
      sort: "online",
      numeric: true,
      show: (row) => (
        <>
          {count(row.workers_online)} <small>of {count(row.workers)}</small>
        </>
      ),
    }),
    rate("5 min", "5m"),
    rate("1 hour", "1h"),
    rate("24 hours", "24h"),
    summed({ title: "Accepted", sort: "accepted", numeric: true, show: (row) => count(row.activity.accepted) }),
    summed({
      title: "Rejected",
      sort: "rejected",
      numeric: true,
      className: "reasons",
      show: (row) => (
        <>
          {count(refused(row.activity))} <small>{rejectNote(row.activity)}</small>
        </>
      ),
    }),
    { title: "Last share", sort: "last_share", numeric: true, show: (row) => shortAge(row.activity.last_share_ms, now) },
  ];
}

export function GroupsPage({ place, by }: { place: Place; by: Grouping }) {
  const now = useNow();
  const [one, many] = MANY[by];
  return (
    <Listing<Group>
      title={`Workers by ${by}`}
      place={place}
      path="/api/v1/groups"
      fixed={{ by }}
      filters={["account", "site", "rack", "firmware"]}
      columns={columns(by, now)}
      one={one}
      many={many}
      search={`Search ${by}`}
      sort="name"
      empty="No miner has connected yet. How to connect one stands at the foot of this page."
    >
      <GroupBy place={place} by={by} />
    </Listing>
  );
}
