// Every part that the pool depends on: what is, and what to do about it.
import { bytes, count, duration, title, UNKNOWN } from "../format";
import { useLive, useNow } from "../live";
import type { Node } from "../api";
import { Card, TableCard, Typed } from "../parts";
import { Silence } from "./overview";
import { link } from "../router";
import { placeOf, wrongFirst } from "../verdict";
import { hasRegions, nodesOf, type PlacedNode } from "../work";

export function HealthPage() {
  const { overview } = useLive();
  const now = useNow();
  if (!overview) return <p class="empty">Loading</p>;
  const roles = overview.roles;
  const beats = [
    ...Object.entries(roles?.work ?? {}).map(([region, role]) => ({
      name: hasRegions(roles?.work) ? `work ${region}` : "work",
      beat: role.heartbeat_ms,
      disk: role.disk,
      note: role.candidates_pending ? `${count(role.candidates_pending)} blocks wait for a verdict` : "",
    })),
    ...(roles?.stratum ?? []).map((role) => ({
      name: `stratum ${role.name}`,
      beat: role.heartbeat_ms,
      disk: role.disk,
      note: `${count(role.sessions)} connections`,
    })),
    ...(roles?.accounting
      ? [
          {
            name: "accounting",
            beat: roles.accounting.heartbeat_ms,
            disk: null,
            note: `${count(roles.accounting.lag_shares)} records not yet booked`,
          },
        ]
      : []),
  ];
  return (
    <>
      <Silence overview={overview} />
      <Card title="Health">
        <ul class="health">
          {wrongFirst(overview.health.checks).map((check) => (
            <li key={check.name} data-state={check.state}>
              <b>
                {placeOf(check.name) === "health" ? (
                  title(check.name)
                ) : (
                  <a href={link(placeOf(check.name))}>{title(check.name)}</a>
                )}
              </b>
              <i class="mark">{check.state}</i>
              <span>
                <Typed text={check.text} />
                {check.mend && (
                  <small>
                    <Typed text={check.mend} />
                  </small>
                )}
              </span>
            </li>
          ))}
        </ul>
      </Card>
      <TableCard<PlacedNode>
        title="Nodes"
        rows={nodesOf(roles?.work)}
        empty="Not known while the work role is down."
        missing={roles ? null : "unknown"}
        columns={[
          ...(hasRegions(roles?.work) ? [{ title: "Region", show: (row: PlacedNode) => row.region }] : []),
          { title: "Node", show: (row) => row.name },
          { title: "State", className: "state", state: nodeState, show: (row) => <span>{row.state}</span> },
          { title: "Height", numeric: true, show: (row) => count(row.height) },
          { title: "Gives the work", show: (row) => (row.is_chosen ? "yes" : "no") },
          { title: "Chain", show: (row) => row.chain ?? UNKNOWN },
          { title: "Announces blocks", show: announces },
          { title: "Reason", className: "wrapping", show: (row) => row.reason ?? "" },
        ]}
      />
      <TableCard
        title="Processes"
        rows={beats}
        empty="No role gives a sign of life."
        missing={roles ? null : "unknown"}
        columns={[
          { title: "Role", show: (row) => row.name },
          { title: "Last sign of life", numeric: true, show: (row) => `${duration(Math.max(0, (now - row.beat) / 1000 | 0))} ago` },
          {
            title: "Free on its disk",
            numeric: true,
            show: (row) => (
              <>
                {bytes(row.disk?.free_bytes)} <small>{row.disk && `of ${bytes(row.disk.total_bytes)}`}</small>
              </>
            ),
          },
          { title: "Load", show: (row) => row.note },
        ]}
      />
    </>
  );
}

function nodeState(node: Node): string {
  return node.state === "good" ? "ok" : node.state === "down" ? "dead" : "warn";
}

function announces(node: Node): string {
  return node.is_silent === null ? "not configured" : node.is_silent ? "no" : "yes";
}
