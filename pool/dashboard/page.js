// The page: asks the API every two seconds while someone looks, and shows what it says.

import { openAccount, openBlock } from "./detail.js";
import { byId, setState, setText } from "./dom.js";
import {
  age,
  btc,
  count,
  duration,
  error,
  fee,
  hashrate,
  percent,
  scaled,
  shortAge,
  shortHash,
  UNKNOWN,
  visible,
  words,
} from "./format.js";
import { connectHint, showAges, showHealth, showOverview } from "./overview.js";
import { ask, serverNow } from "./source.js";
import { ServerTable } from "./table.js";

const REFRESH_MS = 2000;
const MATURE_AT = 101; // a coinbase can be spent 100 blocks after its own

let pool = null;

function rate(title, key, className = "") {
  return {
    title,
    className,
    width: 9.4,
    sort: `hashrate_${key}`,
    numeric: true,
    main: (row) => hashrate(row.activity.hashrate[key].hps),
    note: (row) => error(row.activity.hashrate[key]),
    state: (row) => (row.activity.hashrate[key].hps === 0 ? "none" : "some"),
  };
}

function rejectNote({ accepted, rejected }) {
  const reasons = Object.entries(rejected).sort((one, other) => other[1] - one[1]);
  const total = reasons.reduce((sum, [, number]) => sum + number, 0);
  return total ? `${percent(total / (total + accepted))} ${words(reasons[0][0])}` : "";
}

const workers = new ServerTable(byId("workers"), {
  id: "workers",
  title: "Workers",
  path: "/api/v1/workers",
  search: "Search account or worker",
  sort: "login",
  one: "worker",
  many: "workers",
  empty: () => `No miner has connected yet. ${pool ? connectHint(pool.pool) : ""}`,
  columns: [
    { title: "Worker", sort: "login", main: (row) => visible(row.login) },
    {
      title: "State",
      sort: "sessions",
      className: "state",
      width: 6,
      main: (row) => (row.sessions === 0 ? "offline" : row.sessions === 1 ? "online" : `${row.sessions} sessions`),
      state: (row) => (row.sessions === 0 ? "off" : "ok"),
    },
    rate("1 min", "1m", "roomy"), // half of it is noise at one share each ten seconds
    rate("5 min", "5m"),
    rate("1 hour", "1h"),
    rate("24 hours", "24h"),
    { title: "Difficulty", width: 5.5, sort: "difficulty", numeric: true, main: (row) => scaled(row.difficulty) },
    { title: "Accepted", width: 6, sort: "accepted", numeric: true, main: (row) => count(row.activity.accepted) },
    {
      title: "Rejected",
      sort: "rejected",
      numeric: true,
      className: "reasons",
      width: 11,
      main: (row) => count(Object.values(row.activity.rejected).reduce((sum, number) => sum + number, 0)),
      note: (row) => rejectNote(row.activity),
    },
    {
      title: "Last share",
      width: 6.2,
      sort: "last_share",
      numeric: true,
      main: (row) => shortAge(row.activity.last_share_ms, serverNow()),
    },
  ],
});

const accounts = new ServerTable(byId("accounts"), {
  id: "accounts",
  title: "Accounts",
  path: "/api/v1/accounts",
  search: "Search account",
  sort: "name",
  one: "account",
  many: "accounts",
  empty: () => "No account yet: the first share of a login makes one.",
  columns: [
    { title: "Account", sort: "name", main: (row) => visible(row.name), press: (row) => openAccount(row.name) },
    { title: "Scheme", width: 7, main: (row) => row.books?.scheme.toUpperCase() ?? UNKNOWN },
    { title: "Fee", width: 6, sort: "fee", numeric: true, main: (row) => fee(row.books?.fee_bps) },
    {
      title: "Workers online",
      width: 10,
      sort: "workers",
      numeric: true,
      main: (row) => count(row.live?.workers_online),
      note: (row) => (row.live ? `of ${count(row.live.workers)}` : ""),
    },
    {
      title: "1 hour",
      width: 11,
      sort: "hashrate_1h",
      numeric: true,
      main: (row) => hashrate(row.live?.activity.hashrate["1h"].hps),
      note: (row) => error(row.live?.activity.hashrate["1h"]),
    },
    {
      title: "Immature BTC",
      width: 10.5,
      sort: "immature",
      numeric: true,
      main: (row) => btc(row.books?.immature_sat),
    },
    {
      title: "Available BTC",
      width: 10.5,
      sort: "available",
      numeric: true,
      main: (row) => btc(row.books?.available_sat),
    },
    { title: "Credits", width: 6.5, sort: "credits", numeric: true, main: (row) => count(row.books?.credits) },
  ],
});

const blocks = new ServerTable(byId("blocks"), {
  id: "blocks",
  title: "Blocks",
  path: "/api/v1/blocks",
  one: "block",
  many: "blocks",
  choice: {
    parameter: "state",
    label: "State of the blocks",
    options: [
      ["", "All states"],
      ["candidate", "Candidates"],
      ["immature", "Immature"],
      ["mature", "Mature"],
      ["orphaned", "Orphaned"],
      ["dead", "Dead"],
    ],
  },
  empty: () => {
    const expected = pool?.luck.expected_seconds;
    return expected == null
      ? "No block yet."
      : `No block yet. At this hashrate one is expected every ${duration(expected)}.`;
  },
  columns: [
    { title: "Height", width: 7, main: (row) => count(row.height) },
    { title: "State", width: 8, className: "state", main: (row) => row.state, state: (row) => row.state },
    {
      title: "Hash",
      width: 13,
      className: "mono",
      main: (row) => shortHash(row.hash_hex),
      press: (row) => openBlock(row.hash_hex),
    },
    { title: "Finder", main: (row) => visible(row.finder) },
    { title: "Reward BTC", width: 9, numeric: true, main: (row) => btc(row.reward_sat) },
    {
      title: "Confirmations",
      width: 9.5,
      numeric: true,
      main: (row) => count(row.confirmations),
      note: (row) => (row.state === "immature" ? `of ${MATURE_AT}` : ""),
    },
    { title: "Credits", width: 6, numeric: true, main: (row) => count(row.credits) },
    { title: "Found", width: 7, numeric: true, main: (row) => shortAge(row.found_ms, serverNow()) },
  ],
});

async function refreshPool() {
  pool = await ask("/api/v1/pool");
  showHealth(pool.health);
  showOverview(pool);
}

let timer = null;
let answeredMs = null;

async function refresh() {
  clearTimeout(timer);
  const outcomes = await Promise.allSettled([refreshPool(), workers.load(), accounts.load(), blocks.load()]);
  const lost = outcomes[0].status === "rejected";
  if (!lost) answeredMs = Date.now();
  byId("notice").hidden = !lost;
  if (lost)
    setText(byId("notice"), "The web role does not answer, so these numbers are old. Mining does not depend on it.");
  setState(byId("freshness"), lost ? "down" : "ok");
  tick();
  clearTimeout(timer); // of a refresh that ran at the same time
  if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS);
}

function tick() {
  showAges();
  const silent = answeredMs === null ? null : Date.now() - answeredMs;
  if (silent === null) setText(byId("freshness"), "Loading");
  else setText(byId("freshness"), silent < 3 * REFRESH_MS ? "Live" : `Answered ${age(answeredMs, Date.now())}`);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, select, dialog");
  if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    workers.field.focus();
  }
});
setInterval(tick, 1000);
refresh();
