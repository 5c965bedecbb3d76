// Who is paid: what each account has, and where it came from.
import type { Account, AccountCredit } from "../api";
import { btc, count, error, fee, hashrate, moment, psat, schemeName, shortHash, UNKNOWN, visible, words } from "../format";
import { Listing } from "../listing";
import { useAnswer, useNow } from "../live";
import { accountOrders, addOrder, type Terms, thresholdOf } from "../orders/accounts";
import { Orders } from "../orders/office";
import { Card, type Column, Facts, Figure, missing, Panel, Path, Problem, Rows, TableCard } from "../parts";
import { link, linkWith, type Place } from "../router";
import { RateCell } from "../rates";
import { why } from "./explain";
import { Payments } from "./payments";
import { mayOrder, useSession } from "../session";

const COLUMNS: Column<Account>[] = [
  { title: "Account", sort: "name", show: (row) => <a href={link("accounts", row.name)}>{visible(row.name)}</a> },
  { title: "Scheme", show: (row) => (row.books ? schemeName(row.books.scheme) : UNKNOWN) },
  { title: "Fee", sort: "fee", numeric: true, show: (row) => fee(row.books?.fee_bps) },
  {
    title: "Workers online",
    sort: "workers",
    numeric: true,
    show: (row) => (
      <>
        {count(row.live?.workers_online)} <small>{row.live && `of ${count(row.live.workers)}`}</small>
      </>
    ),
  },
  {
    title: "Hashrate, 1 hour",
    sort: "hashrate_1h",
    numeric: true,
    show: (row) => <RateCell rate={row.live?.activity.hashrate["1h"]} />,
  },
  { title: "Available BTC", sort: "available", numeric: true, show: (row) => btc(row.books?.available_sat) },
  { title: "Immature BTC", sort: "immature", numeric: true, show: (row) => btc(row.books?.immature_sat) },
  { title: "Reserved BTC", numeric: true, className: "roomy", show: (row) => btc(row.books?.reserved_sat) },
  { title: "Credits", sort: "credits", numeric: true, show: (row) => count(row.books?.credits) },
];

export function AccountsPage({ place }: { place: Place }) {
  return (
    <>
      <Orders orders={[addOrder()]} right="payouts" />
      <Listing<Account>
        title="Accounts"
        place={place}
        path="/api/v1/accounts"
        columns={COLUMNS}
        one="account"
        many="accounts"
        search="Search account"
        sort="name"
        empty="No account yet: the first share of a login makes one."
      />
    </>
  );
}

// How it is paid, for who may change it.
function TermsOf({ name }: { name: string }) {
  const { value, problem } = useAnswer<Terms>(`/api/v1/accounts/${encodeURIComponent(name)}/terms`);
  const now = useNow();
  const addresses = value?.addresses ?? [];
  const inForce = addresses.filter((each) => each.cancelled_ms === null && each.valid_from_ms <= now).at(-1);
  return (
    <>
      <Problem problem={problem} />
      {value && <Orders orders={accountOrders(value, now)} right="payouts" />}
      <Card title="Where it is paid">
        {value && (
          <p class="note">
            It is paid once it has {btc(value.threshold.threshold_sat)} BTC available: {thresholdOf(value.threshold.note)}.
          </p>
        )}
        <Rows<Terms["addresses"][number]>
          title="Where it is paid"
          rows={[...addresses].reverse()}
          empty="It has no address yet: what it earns waits for one."
          missing={missing({ value, problem })}
          columns={[
            { title: "Address", className: "mono", show: (row) => row.address },
            {
              title: "State",
              show: (row) =>
                row.cancelled_ms !== null
                  ? "taken back"
                  : row.valid_from_ms > now
                    ? "on hold"
                    : row === inForce
                      ? "in force"
                      : "past",
            },
            { title: "From", numeric: true, show: (row) => moment(row.valid_from_ms) },
          ]}
        />
      </Card>
      <TableCard<Terms["account"]["plans"][number]>
        title="Plans"
        rows={[...(value?.account.plans ?? [])].reverse()}
        empty="None."
        missing={missing({ value, problem })}
        columns={[
          { title: "Scheme", show: (row) => schemeName(row.scheme) },
          { title: "Fee", numeric: true, show: (row) => fee(row.fee_bps) },
          { title: "State", show: (row) => words(row.state) },
          { title: "From", numeric: true, show: (row) => moment(row.valid_from_ms) },
        ]}
      />
    </>
  );
}

interface AccountAnswer {
  account: Account;
  credits: AccountCredit[] | null;
  unavailable: Record<string, string>;
}

export function AccountPage({ name }: { name: string }) {
  const { value, problem } = useAnswer<AccountAnswer>(`/api/v1/accounts/${encodeURIComponent(name)}`);
  const { session } = useSession();
  const books = value?.account.books;
  const live = value?.account.live;
  return (
    <>
      <Path above={[["Accounts", link("accounts")]]}>{visible(name)}</Path>
      <Problem problem={problem} unavailable={value?.unavailable ?? {}} />
      {value && (
        <div class="panels">
          <Panel title="Available, BTC" wide>
            <Figure value={btc(books?.available_sat)} />
            <Facts
              facts={[
                ["Immature: of blocks that may still be orphaned", btc(books?.immature_sat)],
                ["Reserved: on its way in a payment", btc(books?.reserved_sat)],
                ["Earned per share, not yet booked", books ? psat(books.pps_psat) : UNKNOWN],
              ]}
            />
          </Panel>
          <Panel title="Plan">
            <Figure value={books ? schemeName(books.scheme) : UNKNOWN} />
            <Facts
              facts={[
                ["Fee", fee(books?.fee_bps)],
                ["Blocks credited", count(books?.credits)],
              ]}
            />
          </Panel>
          <Panel title="Hashrate over 5 minutes">
            <Figure
              value={hashrate(live?.activity.hashrate["5m"].hps)}
              note={error(live?.activity.hashrate["5m"])}
            />
            <Facts
              facts={[
                ["24 hours", <RateCell rate={live?.activity.hashrate["24h"]} />],
                [
                  "Workers online",
                  <a href={`${link("workers")}?q=${encodeURIComponent(`${name}.`)}`}>
                    {count(live?.workers_online)} of {count(live?.workers)}
                  </a>,
                ],
              ]}
            />
          </Panel>
        </div>
      )}
      {value && (
        <p class="beside">
          Every change of its balance, with all payments:{" "}
          <a href={`/api/v1/accounts/${encodeURIComponent(name)}/statement?format=csv`} download>
            statement as CSV
          </a>
          , <a href={`/api/v1/accounts/${encodeURIComponent(name)}/statement`}>as JSON</a>, or{" "}
          <a href={why("balance", name)}>explained</a>. Its machines:{" "}
          <a href={linkWith("workers", { account: name })}>workers</a>,{" "}
          <a href={linkWith("workers", { account: name, by: "site" })}>by site</a>.
        </p>
      )}
      {books && mayOrder(session, "payouts") && <TermsOf name={name} />}
      {books && <Payments key={name} name={name} />}
      {value && (
        <TableCard<AccountCredit>
          title="Newest credits"
          rows={value.credits ?? []}
          empty="No credit yet: the first comes with the first block or PPS period."
          missing={missing({ value, problem }, value.credits)}
          columns={[
            {
              title: "For",
              show: (row) =>
                row.height === null ? (
                  visible(row.ref)
                ) : (
                  <a href={link("blocks", row.ref)} title={shortHash(row.ref)}>
                    Block {count(row.height)}
                  </a>
                ),
            },
            { title: "State", className: "state", state: (row) => row.state, show: (row) => <span>{row.state}</span> },
            { title: "BTC", numeric: true, show: (row) => btc(row.amount_sat) },
            { title: "Time", numeric: true, show: (row) => moment(row.time_ms) },
            {
              title: "How it came about",
              show: (row) => (
                <a href={why("credit", row.height === null ? row.ref : `${row.ref}:${name}`)}>explained</a>
              ),
            },
          ]}
        />
      )}
    </>
  );
}
