// The head of the page: hashrate with its error, presence, shares, tip, luck, blocks, money.

import { byId, element, repeat, setCode, setState, setText } from "./dom.js";
import {
  age,
  btc,
  count,
  duration,
  error,
  hashrate,
  moment,
  percent,
  scaled,
  shortHash,
  UNKNOWN,
  words,
} from "./format.js";
import { serverNow } from "./source.js";

const WINDOWS = ["1m", "5m", "1h", "24h"]; // the rows of the table on the page
const EFFORT_SHOWN = 3; // the bar ends at three times the expected work, which one round in twenty reaches

let newest = null;

export function showOverview(pool) {
  newest = pool;
  document.title = pool.activity ? `${hashrate(pool.activity.hashrate["5m"].hps)} · ${pool.pool.name}` : pool.pool.name;
  setText(byId("pool-name"), pool.pool.name);
  setText(byId("chain"), pool.pool.chain);
  setText(byId("version"), `Steppe ${pool.pool.version}`);
  setText(byId("connect"), connectHint(pool.pool));
  showHashrate(pool.activity);
  showPresence(pool);
  showShares(pool.activity);
  showTip(pool.roles?.work?.job);
  showLuck(pool.luck);
  showBooks(pool.books);
  showAges();
}

export function connectHint(about) {
  if (about.stratum_port == null) return "";
  return `Miners connect to stratum+tcp://${location.hostname}:${about.stratum_port} as ACCOUNT.WORKER with any password.`;
}

// Ages run on between two answers.
export function showAges() {
  if (newest === null) return;
  const now = serverNow();
  const job = newest.roles?.work?.job;
  setText(byId("last-share"), age(newest.activity?.last_share_ms, now));
  setText(byId("template-age"), job ? duration(Math.max(0, Math.floor((now - job.template_ms) / 1000))) : UNKNOWN);
  setText(
    byId("last-block"),
    newest.books && newest.books.last_block_ms === null ? "none yet" : age(newest.books?.last_block_ms, now),
  );
}

function showHashrate(activity) {
  const main = activity?.hashrate["5m"];
  setText(byId("hashrate"), hashrate(main?.hps, 4));
  setText(byId("hashrate-error"), main ? `${error(main)} over 5 min` : "");
  const rates = WINDOWS.map((key) => activity?.hashrate[key]);
  const top = Math.max(...rates.map((rate) => (rate ? rate.hps * (1 + Math.min(rate.error ?? 0, 1)) : 0)));
  rates.forEach((rate, index) => {
    const [, range, value, deviation] = byId("windows").tBodies[0].rows[index].cells;
    setText(value, hashrate(rate?.hps));
    setText(deviation, rate ? error(rate) : "");
    showRange(range.firstElementChild, rate, top);
  });
}

// The estimate as a bar, one standard error to both sides of its end as a line; all windows on one scale from zero.
function showRange(range, rate, top) {
  const [bar, line] = range.children;
  range.classList.toggle("none", !rate || top === 0);
  if (!rate || top === 0) return;
  const deviation = Math.min(rate.error ?? 0, 1);
  bar.style.width = `${(rate.hps / top) * 100}%`;
  line.style.left = `${((rate.hps * (1 - deviation)) / top) * 100}%`;
  line.style.width = `${((rate.hps * 2 * deviation) / top) * 100}%`;
}

function showPresence({ presence }) {
  setText(byId("workers-online"), count(presence?.workers_online));
  setText(byId("workers-total"), presence ? `of ${count(presence.workers)} known` : "");
  setText(byId("workers-offline"), count(presence && presence.workers - presence.workers_online));
  setText(byId("sessions"), count(presence?.sessions));
  setText(byId("accounts-active"), count(presence?.accounts));
}

function showShares(activity) {
  const counts = { stale: 0, duplicate: 0, low_difficulty: 0, ...activity?.rejected };
  const reasons = Object.entries(counts).sort((one, other) => other[1] - one[1]);
  const rejected = reasons.reduce((sum, [, number]) => sum + number, 0);
  const all = rejected + (activity?.accepted ?? 0);
  setText(byId("rejected-ratio"), activity ? percent(all ? rejected / all : 0) : UNKNOWN);
  setText(byId("rejected-count"), activity ? `${count(rejected)} shares` : "");
  setText(byId("accepted"), count(activity?.accepted));
  for (const place of [1, 2, 3]) {
    const [reason, number] = reasons[place - 1];
    setText(byId(`reason-${place}`), capital(words(reason)));
    setText(byId(`reason-${place}-count`), activity ? count(number) : UNKNOWN);
  }
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function showTip(job) {
  setText(byId("tip-height"), count(job && job.height - 1)); // the job is for the block after the tip
  setText(byId("tip-hash"), shortHash(job?.tip_hash_hex));
  byId("tip-hash").title = job?.tip_hash_hex ?? "";
  setText(byId("template-transactions"), count(job?.transactions));
  setText(byId("network-difficulty"), scaled(job?.network_difficulty, 4));
}

function showLuck(luck) {
  setText(byId("expected"), duration(luck.expected_seconds));
  setText(byId("effort"), percent(luck.effort));
  setText(byId("within-day"), luck.block_within_day > 0.999 ? ">99.9\u202F%" : percent(luck.block_within_day));
  byId("effort-bar").style.width = `${Math.min((luck.effort ?? 0) / EFFORT_SHOWN, 1) * 100}%`;
}

function showBooks(books) {
  const states = books?.blocks ?? {};
  const found = Object.values(states).reduce((sum, number) => sum + number, 0);
  setText(byId("blocks-found"), books ? count(found) : UNKNOWN);
  for (const state of ["mature", "immature", "candidate"]) {
    setText(byId(`blocks-${state}`), books ? count(states[state] ?? 0) : UNKNOWN);
  }
  setText(byId("blocks-lost"), books ? count((states.orphaned ?? 0) + (states.dead ?? 0)) : UNKNOWN);
  setText(byId("owed-available"), btc(books?.available_sat));
  setText(byId("owed-immature"), btc(books?.immature_sat));
  setText(byId("owed-total"), btc(books && books.available_sat + books.immature_sat));
  setText(byId("accounts-total"), count(books?.accounts));
  byId("last-block").title = books?.last_block_ms ? moment(books.last_block_ms) : "";
}

// One cell per dependency, its state as shape, colour and word; below, what is wrong and how to mend it.
export function showHealth(health) {
  const wrong = health.checks.filter((check) => check.state !== "ok");
  const down = wrong.filter((check) => check.state !== "warn");
  setState(byId("verdict"), down.length ? "down" : wrong.length ? "warn" : "ok");
  setText(byId("verdict"), down.length ? "Not ready" : wrong.length ? "Needs a look" : "All well");
  repeat(
    byId("checks"),
    health.checks,
    () => element("li", {}, element("b"), element("span")),
    (item, check) => {
      setState(item, check.state);
      setText(item.firstElementChild, capital(check.name));
      setText(item.lastElementChild, check.state === "ok" ? check.text : check.state);
    },
  );
  repeat(
    byId("mends"),
    wrong.filter((check) => check.state !== "unknown"),
    mendRow,
    (item, check) => {
      const [name, text, mend] = item.children;
      setState(item, check.state);
      setText(name, capital(check.name));
      setCode(text, check.text);
      setCode(mend, check.mend ?? "");
    },
  );
}

function mendRow() {
  return element("li", {}, element("b"), element("span"), element("small"));
}
