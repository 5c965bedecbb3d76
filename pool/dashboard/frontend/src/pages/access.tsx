// For operators: who may come in, and what was done.
import { useState } from "preact/hooks";

import { change } from "../api";
import { moment, visible } from "../format";
import { Listing } from "../listing";
import { useAnswer } from "../live";
import { Breakable, type Column, Problem, TableCard } from "../parts";
import type { Place } from "../router";
import { useSession } from "../session";

interface Credential {
  id: number;
  kind: string;
  name: string;
  scope: string;
  rights: string[];
  created_ms: number;
  until_ms: number | null;
  made_by: string;
}

interface Made {
  id: number;
  secret: string;
  path: string;
}

const KINDS: [string, string][] = [
  ["link", "Watcher's link"],
  ["key", "Account owner's key"],
  ["token", "Program's token"],
];

function Make({ made }: { made: (made: Made) => void }) {
  const { session } = useSession();
  const [kind, setKind] = useState("link");
  const [name, setName] = useState("");
  const [scope, setScope] = useState("pool");
  const [days, setDays] = useState("30");
  const [rights, setRights] = useState<string[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const send = (event: Event) => {
    event.preventDefault();
    const wish = {
      kind,
      name,
      scope: kind === "key" ? `account:${name}` : scope,
      rights: kind === "token" ? rights : [],
      days: days === "" ? null : Number(days),
    };
    change<Made>("POST", "/api/v1/access", session?.csrf ?? null, wish).then(
      (answer) => {
        setProblem(null);
        setName("");
        made(answer);
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  };
  const toggle = (right: string) =>
    setRights(rights.includes(right) ? rights.filter((each) => each !== right) : [...rights, right]);
  return (
    <form class="form wide card" onSubmit={send}>
      <label>
        What
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
          {KINDS.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label>
        {kind === "key" ? "Account" : "Name, for whom"}
        <input required maxLength={64} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      {kind !== "key" && (
        <label>
          Sees: pool, account:NAME, site:NAME, fleet:NAME
          <input required value={scope} onInput={(event) => setScope(event.currentTarget.value)} />
        </label>
      )}
      <label>
        Days until it ends{kind === "link" ? "" : "; empty: never"}
        <input
          inputMode="numeric"
          pattern="[0-9]*"
          required={kind === "link"}
          value={days}
          onInput={(event) => setDays(event.currentTarget.value)}
        />
      </label>
      {kind === "token" && (
        <fieldset>
          <legend>May also order about</legend>
          {["payouts", "moves"].map((right) => (
            <label key={right} class="check">
              <input type="checkbox" checked={rights.includes(right)} onChange={() => toggle(right)} /> {right}
            </label>
          ))}
        </fieldset>
      )}
      {problem && (
        <p class="notice" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" class="button">
        Make it
      </button>
    </form>
  );
}

export function AccessPage() {
  const { session } = useSession();
  const { value, problem } = useAnswer<{ rows: Credential[] }>("/api/v1/access");
  const [made, setMade] = useState<Made | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const revoke = (id: number) =>
    change("DELETE", `/api/v1/access/${id}`, session?.csrf ?? null, null).then(
      () => setRefused(null),
      (error: unknown) => setRefused(error instanceof Error ? error.message : String(error)),
    );
  const columns: Column<Credential>[] = [
    { title: "Name", show: (row) => visible(row.name) },
    { title: "What", show: (row) => row.kind },
    { title: "Sees", show: (row) => visible(row.scope) },
    { title: "May", show: (row) => row.rights.join(", ") },
    { title: "Made", numeric: true, show: (row) => moment(row.created_ms) },
    { title: "Ends", numeric: true, show: (row) => (row.until_ms === null ? "never" : moment(row.until_ms)) },
    { title: "By", show: (row) => visible(row.made_by) },
    {
      title: "End it",
      show: (row) => (
        <button type="button" class="button" aria-label={`Revoke ${row.kind} ${row.name}`} onClick={() => revoke(row.id)}>
          Revoke
        </button>
      ),
    },
  ];
  return (
    <>
      <h2 class="title">Who may come in</h2>
      <Problem problem={problem ?? refused} />
      <Make made={setMade} />
      {made && (
        <p class="made card" role="status">
          This is shown once; the pool keeps only a hash. Pass it on over a channel that others do not read:{" "}
          <code class="mono">{made.path || made.secret}</code>
          {made.path && " (behind the address of the page that everybody sees)"}
        </p>
      )}
      <TableCard<Credential>
        title="What holds now"
        columns={columns}
        rows={value?.rows ?? []}
        empty={value === null && problem === null ? "Loading" : "None."}
      />
    </>
  );
}

interface LogRow {
  id: number;
  time_ms: number;
  who: string;
  action: string;
  target: string;
  origin: string;
  result: string;
}

const LOG: Column<LogRow>[] = [
  { title: "Did", show: (row) => <Breakable name={row.action} after="." /> },
  { title: "Who", show: (row) => visible(row.who) },
  { title: "Time", show: (row) => moment(row.time_ms) },
  { title: "What", className: "wrapping", show: (row) => visible(row.target) },
  { title: "From", show: (row) => visible(row.origin) },
  { title: "Result", className: "wrapping", show: (row) => visible(row.result) },
];

export function LogPage({ place }: { place: Place }) {
  return (
    <Listing<LogRow>
      title="Who did what"
      place={place}
      path="/api/v1/audit"
      columns={LOG}
      one="entry"
      many="entries"
      empty="Nothing yet."
    />
  );
}
