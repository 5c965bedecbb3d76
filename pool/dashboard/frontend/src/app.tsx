// The frame of every page: the bar with the parts and the verdict, the page itself, the foot.
import { useEffect, useRef } from "preact/hooks";

import { hashrate } from "./format";
import { LiveContext, useLiveSource } from "./live";
import { AccessPage, LogPage } from "./pages/access";
import { AccountPage, AccountsPage } from "./pages/accounts";
import { BlockPage, BlocksPage } from "./pages/blocks";
import { ExplainPage } from "./pages/explain";
import { FleetsPage } from "./pages/fleets";
import { HealthPage } from "./pages/health";
import { JobPage } from "./pages/job";
import { EnterPage, LoginNeeded, LoginPage, Who } from "./pages/login";
import { MovePage, MovesPage } from "./pages/moves";
import { connectHint, OverviewPage } from "./pages/overview";
import { PayoutPage, PayoutsPage } from "./pages/payouts";
import { ReportPage } from "./pages/reports";
import { WorkerPage, WorkersPage } from "./pages/workers";
import { link, type Place, usePlace } from "./router";
import { mayGo, maySee, type Session, SessionContext, useSessionSource } from "./session";
import { verdict } from "./verdict";

// Path, title, and of which part of the pool it tells (`web.public`).
const PARTS = [
  ["", "Overview", "overview"],
  ["workers", "Workers", "workers"],
  ["accounts", "Accounts", "accounts"],
  ["fleets", "Fleets", "fleets"],
  ["moves", "Moves", "moves"],
  ["blocks", "Blocks", "blocks"],
  ["payouts", "Payouts", "payouts"],
  ["job", "Who is paid", "job"],
  ["health", "Health", "overview"],
  ["access", "Access", "operators"],
  ["log", "Log", "operators"],
] as const;

// The part of the bar that a page belongs to.
function openPart({ path: [first = "", second = ""] }: Place): string {
  if (first === "reports") return second === "relocation" ? "moves" : "fleets";
  if (first === "explain") return { payout: "payouts", reject: "workers" }[second] ?? "accounts";
  return first;
}

function partOf(place: Place): string {
  return PARTS.find(([path]) => path === (place.path[0] ?? ""))?.[2] ?? "always";
}

// Strangers are told what needs a login; who is in has only what is theirs.
function parts(session: Session | null) {
  const all = PARTS.filter(([, , part]) => part !== "operators" || session?.role === "operator");
  return all.filter(([, , part]) => mayGo(session, part));
}

function page(place: Place) {
  const [part, name] = place.path;
  switch (part) {
    case undefined:
      return <OverviewPage />;
    case "workers":
      return name === undefined ? <WorkersPage place={place} /> : <WorkerPage login={name} />;
    case "accounts":
      return name === undefined ? <AccountsPage place={place} /> : <AccountPage name={name} />;
    case "blocks":
      return name === undefined ? <BlocksPage place={place} /> : <BlockPage hash={name} />;
    case "payouts":
      return name === undefined ? <PayoutsPage place={place} /> : <PayoutPage number={name} />;
    case "fleets":
      return <FleetsPage place={place} />;
    case "moves":
      return name === undefined ? <MovesPage /> : <MovePage name={name} />;
    case "reports":
      return <ReportPage kind={name ?? ""} place={place} />;
    case "explain":
      return <ExplainPage kind={name ?? ""} id={place.path[2] ?? ""} />;
    case "job":
      return <JobPage />;
    case "health":
      return <HealthPage />;
    case "access":
      return <AccessPage />;
    case "log":
      return <LogPage place={place} />;
    case "login":
      return <LoginPage />;
    case "enter":
      return <EnterPage secret={name ?? ""} />;
    default:
      return (
        <p class="notice">
          There is no such page. <a href={link()}>To the overview</a>
        </p>
      );
  }
}

export function App() {
  const known = useSessionSource();
  const { session } = known;
  const live = useLiveSource(session && maySee(session, "overview") ? session.who : null);
  const place = usePlace();
  const main = useRef<HTMLElement>(null);
  const bar = useRef<HTMLElement>(null);
  const where = place.path.join("/");
  const first = useRef(true);
  useEffect(() => {
    // Who goes to another page by keyboard or screen reader is taken there; who just came is left at the top.
    if (first.current) first.current = false;
    else main.current?.focus();
    scrollTo(0, 0);
  }, [where]);
  useEffect(() => {
    // On a phone the parts are wider than the screen: the one that is open is shown.
    const nav = bar.current;
    const open = nav?.querySelector<HTMLElement>("[aria-current]");
    if (nav && open) nav.scrollLeft = open.offsetLeft - nav.offsetLeft - (nav.clientWidth - open.offsetWidth) / 2;
  }, [where, session?.who]);
  const { overview } = live;
  const name = overview?.pool.name ?? "Steppe";
  const rate = overview?.activity && hashrate(overview.activity.hashrate["5m"].hps);
  useEffect(() => {
    document.title = rate ? `${rate} · ${name}` : name;
  }, [rate, name]);
  const { state, text } = verdict(overview?.health);
  return (
    <SessionContext.Provider value={known}>
    <LiveContext.Provider value={live}>
      <header class="bar">
        <button type="button" class="skip" onClick={() => main.current?.focus()}>
          Skip to the content
        </button>
        <div class="inner">
          <h1>
            <img src="/static/icon.svg" alt="" width="28" height="28" />
            <span>{name}</span>
          </h1>
          <span class="tag">{overview?.pool.chain ?? "–"}</span>
          <nav ref={bar} aria-label="Pages">
            {parts(session).map(([path, title]) => (
              <a
                key={path}
                href={path ? link(path) : "#/"}
                aria-current={openPart(place) === path ? "page" : undefined}
              >
                {title}
              </a>
            ))}
          </nav>
          <p class="freshness" data-state={live.connected ? "ok" : "down"}>
            {live.connected ? "Live" : overview ? "Not live" : "Loading"}
          </p>
          <a class="verdict mark" href={link("health")} data-state={state}>
            {text}
          </a>
          {session && <Who session={session} />}
        </div>
      </header>
      <main ref={main} tabIndex={-1}>
        {overview && !live.connected && (
          <p class="notice" role="alert">
            The web role does not answer, so these numbers are old. Mining does not depend on it.
          </p>
        )}
        {session && !maySee(session, partOf(place)) ? <LoginNeeded session={session} /> : page(place)}
      </main>
      <footer>
        <p>{overview?.pool.stratum_port != null && connectHint(overview.pool.stratum_port)}</p>
        <p>
          <a href="/api/v1/openapi.json">API</a>{" "}
          {session?.is_admin && <a href="/metrics">Metrics</a>} <a href="/readyz">Readiness</a>{" "}
          {overview && `Steppe ${overview.pool.version}`}
        </p>
      </footer>
    </LiveContext.Provider>
    </SessionContext.Provider>
  );
}
