// Moves from one site to another: how many machines are where, and who waits for a person.
import { count, distance, moment, percent, shortAge, title, visible, words } from "../format";
import { byUrgency, isOpen, type Machine, type Move, openFirst, progress, type Rack, sum } from "../fleet";
import { useAnswer, useNow } from "../live";
import { byAccount, confirmOrder, moveOrders, planOrder, type Stray, type StrayAccount } from "../orders/moves";
import { Orders, Press, useOffice } from "../orders/office";
import { Breakable, Facts, missing, Path, Problem, TableCard, Typed } from "../parts";
import { link } from "../router";
import { mayOrder, useSession } from "../session";

const MEANING: Record<string, string> = {
  arrived: "it mines at the new end",
  gone: "it left the old end and is not at the new one yet",
  told: "it was told to go a moment ago",
  straggler: "it was told to go, and stayed or came back",
  stayed: "it had not left when the move was rolled back",
  pending: "its turn has not come",
};
const SHOWN = 500; // a fleet of ten thousand is not read row by row

interface Moves {
  rows: Move[] | null;
  unavailable: Record<string, string>;
}

interface Regions {
  rows: { region: string; endpoint: string; processes: number; sessions: number }[] | null;
  unavailable: Record<string, string>;
}

export function MovesPage() {
  const moves = useAnswer<Moves>("/api/v1/moves");
  const regions = useAnswer<Regions>("/api/v1/regions");
  const { session } = useSession();
  const now = useNow();
  return (
    <>
      <Orders orders={[planOrder()]} right="moves" />
      {mayOrder(session, "moves") && <Strays />}
      <Problem problem={moves.problem} unavailable={moves.value?.unavailable ?? {}} />
      <TableCard<Move>
        title="Moves"
        rows={openFirst(moves.value?.rows ?? [])}
        empty="No move yet: `steppe move plan` makes one and shows who would be told what."
        missing={missing(moves, moves.value?.rows)}
        columns={[
          { title: "Move", show: (row) => <a href={link("moves", row.name)}>{visible(row.name)}</a> },
          {
            title: "Arrived",
            numeric: true,
            show: (row) => (
              <>
                {percent((row.counts.arrived ?? 0) / (row.machines || 1))} <small>of {count(row.machines)}</small>
              </>
            ),
          },
          {
            title: "Late",
            numeric: true,
            className: "state",
            state: (row) => (row.late ? "down" : "none"),
            show: (row) => <span>{count(row.late)}</span>,
          },
          {
            title: "State",
            className: "state wrapping",
            state: (row) => (row.lacks.length || row.state === "paused" ? "warn" : row.state === "running" ? "ok" : "candidate"),
            show: (row) => <span>{standing(row)}</span>,
          },
          {
            title: "Deadline",
            show: (row) => (
              <>
                {moment(row.deadline_ms)} {isOpen(row) && <small>{distance(row.deadline_ms, now)}</small>}
              </>
            ),
          },
          { title: "From", show: (row) => visible(row.origin.site) },
          { title: "To", show: (row) => (row.target ? visible(row.target.site) : "not said yet") },
          { title: "Account", show: (row) => <a href={link("accounts", row.account)}>{visible(row.account)}</a> },
        ]}
      />
      <TableCard
        title="Regions"
        rows={regions.value?.rows ?? []}
        empty="No region gives a sign of life."
        missing={missing(regions, regions.value?.rows)}
        columns={[
          { title: "Region", show: (row) => row.region || "the only one" },
          { title: "Endpoint", className: "mono", show: (row) => row.endpoint || "not said" },
          {
            title: "Processes",
            numeric: true,
            show: (row) => count(row.processes),
            total: (rows) => count(sum(rows.map((row) => row.processes))),
          },
          {
            title: "Sessions",
            numeric: true,
            show: (row) => count(row.sessions),
            total: (rows) => count(sum(rows.map((row) => row.sessions))),
          },
        ]}
      />
    </>
  );
}

// Only shown while there is one. An account is confirmed as a whole, so its button stands once.
function Strays() {
  const { value, problem } = useAnswer<{ rows: Stray[] }>("/api/v1/strays");
  const office = useOffice();
  const rows = value?.rows ?? [];
  return (
    <div class="orders">
      <Problem problem={problem} />
      {rows.length > 0 && (
        <TableCard<StrayAccount>
          title="Came on elsewhere without a move"
          note="Until somebody confirms an account, its address cannot be changed."
          rows={byAccount(rows)}
          empty=""
          columns={[
            { title: "Account", show: (row) => <a href={link("accounts", row.account)}>{visible(row.account)}</a> },
            {
              title: "Workers",
              numeric: true,
              show: (row) => count(row.workers),
              total: (all) => count(sum(all.map((row) => row.workers))),
            },
            { title: "From and to", className: "wrapping", show: (row) => visible(row.ways.join(", ")) },
            { title: "Last seen", numeric: true, show: (row) => moment(row.seen_ms) },
            { title: "Order", show: (row) => <Press spec={confirmOrder(row)} office={office} /> },
          ]}
        />
      )}
      {office.panel}
      {rows.length > 0 && (
        <TableCard<Stray>
          title="Which workers these are"
          note={rows.length > SHOWN ? `The first ${count(SHOWN)} of ${count(rows.length)}` : undefined}
          rows={rows.slice(0, SHOWN)}
          empty=""
          columns={[
            { title: "Worker", show: (row) => <a href={link("workers", row.login)}><Breakable name={row.login} after="." /></a> },
            { title: "From", show: (row) => visible(row.from_region) },
            { title: "To", show: (row) => visible(row.to_region) },
            { title: "Seen", numeric: true, show: (row) => moment(row.seen_ms) },
          ]}
        />
      )}
    </div>
  );
}

export function MovePage({ name }: { name: string }) {
  const { value, problem } = useAnswer<{ move: Move; machines: Machine[] }>(`/api/v1/moves/${encodeURIComponent(name)}?machines=waiting`);
  const now = useNow();
  const move = value?.move;
  const machines = value ? byUrgency(value.machines) : [];
  return (
    <>
      <Path above={[["Moves", link("moves")]]}>{visible(name)}</Path>
      <Problem problem={problem} />
      {move && (
        <>
          {move.target && (
            <p class="links">
              <a href={`${link("reports", "relocation")}?move=${encodeURIComponent(move.name)}`}>Relocation report</a>
            </p>
          )}
          <Orders orders={moveOrders(move)} right="moves" />
          <div class="card padded">
            <Progress move={move} />
            <Facts
              className="facts"
              facts={[
                ["State", standing(move)],
                ["Late", `${count(move.late)} of ${count(move.machines)} machines`],
                ["Deadline", deadline(move, now)],
                ["Account", <a href={link("accounts", move.account)}>{visible(move.account)}</a>],
                ["Workers", <span class="mono">{visible(move.pattern)}</span>],
                ["From", end(move.origin)],
                ["To", move.target ? end(move.target) : "not said yet"],
                [move.target ? "Waves" : "Notice", visible(move.words)],
                [move.target ? "Planned" : "Opened", moment(move.planned_ms)],
                ["Started", move.started_ms === null ? "not yet" : moment(move.started_ms)],
                ["Mining at both ends", move.twice.length ? move.twice.map(visible).join(", ") : "none"],
              ]}
            />
          </div>
          {move.target && (
            <TableCard<Machine>
              title="Told to go, and not arrived yet"
              rows={machines.slice(0, SHOWN)}
              empty="Nobody: no machine is late, stayed behind or is on its way."
              columns={[
                { title: "Worker", show: (row) => <a href={link("workers", row.login)}><Breakable name={row.login} after="." /></a> },
                { title: "Rack", show: (row) => visible(row.rack) },
                {
                  title: "State",
                  className: "state",
                  state: (row) => (row.is_late ? "down" : row.status === "straggler" ? "warn" : "candidate"),
                  show: (row) => <span>{row.is_late ? `late, ${words(row.status)}` : words(row.status)}</span>,
                },
                { title: "Told", numeric: true, show: (row) => shortAge(row.told_ms, now) },
                { title: "Times told", numeric: true, show: (row) => count(row.tries) },
                { title: "Left", numeric: true, show: (row) => shortAge(row.gone_ms, now) },
              ]}
            />
          )}
          {machines.length > SHOWN && (
            <p class="notice">
              {count(machines.length - SHOWN)} more: <Typed text={`\`steppe move show ${move.name}\` lists them all.`} />
            </p>
          )}
          <TableCard<Rack>
            title="Racks"
            rows={move.racks}
            empty="No machine fits the pattern yet."
            columns={[
              { title: "Rack", className: "short", show: (row) => visible(row.rack) || "none named" },
              ...columnsOf(move).map((status) => ({
                title: title(status),
                numeric: true,
                className: status === "straggler" ? "state" : "",
                state: (row: Rack) => (!row.counts[status] ? "none" : status === "straggler" ? "warn" : "some"),
                show: (row: Rack) => <span>{count(row.counts[status] ?? 0)}</span>,
                total: (rows: Rack[]) => count(sum(rows.map((row) => row.counts[status]))),
              })),
            ]}
          />
          <TableCard
            title="What was done"
            rows={move.events}
            empty="Nothing yet."
            columns={[
              { title: "Step", show: (row) => words(row.step) },
              { title: "By", show: (row) => visible(row.actor) },
              { title: "Why", show: (row) => visible(row.reason) },
              { title: "Time", numeric: true, show: (row) => moment(row.time_ms) },
            ]}
          />
        </>
      )}
    </>
  );
}

// One bar for the whole move; what its colours mean stands below it in words.
function Progress({ move }: { move: Move }) {
  const parts = progress(move.counts);
  return (
    <figure class="progress">
      <div class="parts" aria-hidden="true">
        {parts.map((each) => (
          <span key={each.status} data-status={each.status} style={{ flexGrow: each.machines }} />
        ))}
      </div>
      <figcaption>
        {parts.length === 0 && "No machine fits the pattern yet."}
        {parts.map((each) => (
          <span key={each.status} data-status={each.status}>
            {words(each.status)} {count(each.machines)} <small>{percent(each.part)}</small>
          </span>
        ))}
        {parts.length > 0 && <p>{parts.map((each) => `${title(each.status)}: ${MEANING[each.status]}.`).join(" ")}</p>}
      </figcaption>
    </figure>
  );
}

// Who waits for a person stands first; states that a move cannot have, or has only when it is rolled back, are left out.
function columnsOf(move: Move): string[] {
  if (move.started_ms === null) return ["pending"];
  const all = ["straggler", "gone", "told", "pending", "arrived"];
  return move.counts.stayed ? [...all, "stayed"] : all;
}

function standing(move: Move): string {
  const lacks = move.lacks.length ? `, lacks ${move.lacks.join(" and ")}` : "";
  return words(move.state) + lacks;
}

function deadline(move: Move, nowMs: number): string {
  const differs = move.notice_ms !== null && move.notice_ms !== move.deadline_ms;
  const left = isOpen(move) ? `, ${distance(move.deadline_ms, nowMs)}` : "";
  return moment(move.deadline_ms) + left + (differs ? `; by the newest notice power ends ${moment(move.notice_ms)}` : "");
}

function end(place: Move["origin"]): string {
  const region = place.region ? `, region ${place.region}` : "";
  const endpoint = place.host ? `, ${place.host}:${place.port}` : "";
  return visible(`${place.site}${region}${endpoint}`);
}
