// For operators: who may come in, and what was done.
import { useState } from "preact/hooks";

import { change } from "../api";
import { count, moment, shortAge, UNKNOWN, visible } from "../format";
import { type Choice, Listing } from "../listing";
import { useAnswer, useNow } from "../live";
import { type Credential, kindInWords, LETS_IN, revokeOrder } from "../orders/access";
import { suggested, Suggestions } from "../orders/known";
import { Press, useOffice } from "../orders/office";
import { Breakable, type Column, missing, Problem, TableCard } from "../parts";
import type { Place } from "../router";
import { useSession } from "../session";

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
        <input
          required
          maxLength={64}
          value={name}
          autocomplete="off"
          {...suggested(kind === "key" && "accounts")}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      {kind !== "key" && (
        <label>
          Sees: pool, account:NAME, site:NAME, fleet:NAME
          <input
            required
            {...suggested("scopes")}
            autocomplete="off"
            spellcheck={false}
            value={scope}
            onInput={(event) => setScope(event.currentTarget.value)}
          />
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
      <Suggestions of={[kind === "key" ? "accounts" : "scopes"]} />
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
  const office = useOffice();
  const now = useNow();
  const rows = value?.rows ?? [];
  const columns: Column<Credential>[] = [
    { title: "Name", show: (row) => visible(row.name) },
    { title: "What", show: (row) => kindInWords(row.kind) },
    { title: "Sees", show: (row) => visible(row.scope) },
    { title: "May", show: (row) => row.rights.join(", ") },
    { title: "Last used", numeric: true, show: (row) => (row.used_ms === null ? UNKNOWN : shortAge(row.used_ms, now)) },
    { title: "Browsers in by it", numeric: true, show: (row) => (LETS_IN.includes(row.kind) ? count(row.sessions) : "") },
    { title: "Ends", numeric: true, show: (row) => (row.until_ms === null ? "never" : moment(row.until_ms)) },
    { title: "Made", numeric: true, className: "roomy", show: (row) => moment(row.created_ms) },
    { title: "By", className: "roomy", show: (row) => visible(row.made_by) },
    { title: "Number", numeric: true, show: (row) => row.id },
    {
      title: "End it",
      show: (row) => (
        <Press spec={revokeOrder(row, session)} office={office} about={`${row.kind} ${row.name}, ${row.id}`} />
      ),
    },
  ];
  return (
    <>
      <h2 class="title">Who may come in</h2>
      <Problem problem={problem} />
      <Make made={setMade} />
      {made && (
        <p class="made card" role="status">
          This is shown once; the pool keeps only a hash. Pass it on over a channel that others do not read:{" "}
          <code class="mono">{made.path || made.secret}</code>
          {made.path && " (behind the address of the page that everybody sees)"}
        </p>
      )}
      <div class="orders">{office.panel}</div>
      <TableCard<Credential>
        title="What holds now"
        note="Last used: as far as the web role knows since it started."
        columns={columns}
        rows={rows}
        empty="None."
        missing={missing({ value, problem })}
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
  { title: "About", className: "wrapping", show: (row) => visible(row.target) },
  { title: "From", show: (row) => visible(row.origin) },
  { title: "Result", className: "wrapping", show: (row) => visible(row.result) },
];

const RESULTS: Choice = {
  parameter: "result",
  label: "Result",
  options: [
    ["", "Any result"],
    ["done", "Done"],
    ["begun", "Begun"],
    ["refused", "Refused or failed"],
  ],
};

export function LogPage({ place }: { place: Place }) {
  return (
    <Listing<LogRow>
      title="Who did what"
      place={place}
      path="/api/v1/audit"
      columns={LOG}
      one="entry"
      many="entries"
      search="Search the log"
      choices={[RESULTS]}
      empty="Nothing yet."
    />
  );
}
