// One account or one block, in a dialog: where the money came from.

import { byId, element, setText } from "./dom.js";
import { btc, count, fee, moment, percent, psat, shortHash, visible, words } from "./format.js";
import { ask } from "./source.js";

export async function openAccount(name) {
  const place = open(visible(name));
  try {
    const { account, credits, unavailable } = await ask(`/api/v1/accounts/${encodeURIComponent(name)}`);
    const books = account.books;
    const facts =
      books === null
        ? []
        : [
            ["Scheme", books.scheme.toUpperCase()],
            ["Fee", fee(books.fee_bps)],
            ["Available", `${btc(books.available_sat)} BTC`],
            ["Immature", `${btc(books.immature_sat)} BTC`],
            ["Reserved for a payment", `${btc(books.reserved_sat)} BTC`],
            ["PPS earned, not yet booked", psat(books.pps_psat)],
          ];
    const rows = (credits ?? []).map((each) => [
      each.height === null ? each.ref : `Block ${count(each.height)}`,
      each.state,
      btc(each.amount_sat),
      moment(each.time_ms),
    ]);
    place.replaceChildren(
      factList(facts),
      table(
        "Newest credits",
        ["For", "State", "BTC", "Time"],
        rows,
        "No credit yet: the first comes with the first block or PPS period.",
      ),
      note(Object.values(unavailable).join(" ")),
    );
  } catch (problem) {
    place.replaceChildren(note(problem.message));
  }
}

export async function openBlock(hashHex) {
  const place = open(`Block ${shortHash(hashHex)}`);
  try {
    const { block, credits, ledger } = await ask(`/api/v1/blocks/${hashHex}`);
    const facts = [
      ["Hash", block.hash_hex],
      ["Height", count(block.height)],
      ["State", block.state],
      ["Finder", visible(block.finder)],
      ["Reward", block.reward_sat === null ? "not seen on the chain yet" : `${btc(block.reward_sat)} BTC`],
      ["Found", moment(block.found_ms)],
    ];
    const paid = credits.map((each) => [
      visible(each.account),
      scheme(each),
      percent(each.window_share),
      btc(each.gross_sat),
      btc(each.fee_sat),
      btc(each.amount_sat),
    ]);
    const entries = ledger.map((each) => [
      words(each.kind),
      visible(each.account),
      btc(each.amount_sat),
      moment(each.time_ms),
    ]);
    place.replaceChildren(
      factList(facts),
      table(
        "Credits",
        ["Account", "Scheme", "Of the window", "Gross BTC", "Fee BTC", "BTC"],
        paid,
        "Credits follow the first confirmation.",
      ),
      table(
        "Ledger (what is owed is negative)",
        ["Posting", "Account", "BTC", "Time"],
        entries,
        "Nothing is booked yet.",
      ),
    );
  } catch (problem) {
    place.replaceChildren(note(problem.message));
  }
}

// Shares under PPS were bought by the reserve, which therefore gets their part of the block.
function scheme({ scheme: name }) {
  return name === "pps" ? "PPS, to the reserve" : name.toUpperCase();
}

function open(title) {
  const dialog = byId("detail");
  setText(byId("detail-title"), title);
  const place = byId("detail-body");
  place.replaceChildren(note("Loading"));
  dialog.showModal();
  return place;
}

function note(text) {
  return element("p", { className: "empty", text });
}

function factList(facts) {
  return element(
    "dl",
    { className: "facts" },
    ...facts.map(([name, value]) => element("div", {}, element("dt", { text: name }), element("dd", { text: value }))),
  );
}

function table(title, heads, rows, empty) {
  const heading = element("h3", { text: title });
  if (rows.length === 0) return element("section", {}, heading, note(empty));
  const numeric = (head) => head.endsWith("BTC") || head === "Of the window";
  const cell = (tag, text, index, more = {}) =>
    element(tag, { text, className: numeric(heads[index]) ? "number" : "", ...more });
  const head = element(
    "thead",
    {},
    element("tr", {}, ...heads.map((text, index) => cell("th", text, index, { scope: "col" }))),
  );
  const body = element(
    "tbody",
    {},
    ...rows.map((row) => element("tr", {}, ...row.map((text, index) => cell("td", text, index)))),
  );
  const frame = element(
    "div",
    { className: "frame" },
    element("table", { className: "rows" }, element("caption", { className: "hidden", text: title }), head, body),
  );
  return element("section", {}, heading, frame);
}
