// The answers of /api/v1 as types, and the way to ask. What an answer means is said in the OpenAPI document of the pool.

export interface Rate {
  hps: number;
  error: number | null;
}

export type Window = "1m" | "5m" | "1h" | "24h";

export interface Activity {
  hashrate: Record<Window, Rate>;
  accepted: number;
  rejected: Record<string, number>;
  last_share_ms: number | null;
}

export interface Worker {
  login: string;
  account: string;
  worker: string;
  sessions: number;
  difficulty: number | null;
  activity: Activity;
  agent: string;
  site: string;
  rack: string;
}

export interface Group {
  name: string;
  account: string | null;
  workers: number;
  workers_online: number;
  activity: Activity;
}

export interface Reject {
  time_ms: number;
  reason: string;
  text: string;
  job_id: string;
  job_age_ms: number | null;
  id: string;
}

export interface Check {
  name: string;
  state: "ok" | "warn" | "down" | "unknown";
  text: string;
  mend: string | null;
}

export interface Health {
  ready: boolean;
  checks: Check[];
}

export interface WorkJob {
  height: number;
  tip_hash_hex: string;
  job_id: string;
  template_ms: number;
  transactions: number;
  network_difficulty: number;
}

export interface Node {
  name: string;
  state: string;
  reason: string | null;
  height: number | null;
  is_chosen: boolean;
  is_silent: boolean | null;
  chain: string | null;
}

export interface Disk {
  free_bytes: number;
  total_bytes: number;
  is_low: boolean;
}

export interface WorkRole {
  heartbeat_ms: number;
  node_reason: string | null;
  job: WorkJob | null;
  nodes: Node[];
  chain: { verdict: string; reason: string } | null;
  candidates_pending: number;
  disk: Disk | null;
}

export interface Roles {
  // By region.
  work: Record<string, WorkRole>;
  stratum: { name: string; heartbeat_ms: number; sessions: number; disk: Disk | null }[];
  accounting: { heartbeat_ms: number; lag_shares: number | null } | null;
}

export interface Overview {
  pool: { name: string; version: string; chain: string; stratum_port: number | null };
  activity: Activity | null;
  presence: { workers: number; workers_online: number; sessions: number; accounts: number } | null;
  roles: Roles | null;
  luck: { expected_seconds: number | null; block_within_day: number | null; effort: number | null };
  books: {
    accounts: number;
    blocks: Record<string, number>;
    last_block_ms: number | null;
    immature_sat: number;
    available_sat: number;
    round_effort: number;
  } | null;
  health: Health;
  unavailable: Record<string, string>;
  silenced_until_ms: number | null;
}

export interface Page<Row> {
  page: number;
  per_page: number;
  total: number | null;
  rows: Row[] | null;
  unavailable: Record<string, string>;
  together?: Row | null; // the rows of all pages as one, where a sum says something
  kept?: number; // rows in all, those included that were not sought, where that is told
}

export interface BookAccount {
  name: string;
  scheme: string;
  fee_bps: number;
  immature_sat: number;
  available_sat: number;
  reserved_sat: number;
  pps_psat: string;
  credits: number;
}

export interface Account {
  name: string;
  books: BookAccount | null;
  live: { name: string; workers: number; workers_online: number; activity: Activity } | null;
}

export interface AccountCredit {
  ref: string;
  height: number | null;
  state: string;
  amount_sat: number;
  time_ms: number;
}

export interface Block {
  hash_hex: string;
  height: number;
  state: string;
  finder: string;
  reward_sat: number | null;
  confirmations: number;
  found_ms: number;
  credits: number;
}

export interface LedgerRow {
  key: string;
  kind: string;
  time_ms: number;
  account: string;
  amount_sat: number;
}

export interface BlockDetail {
  block: Block;
  credits: {
    account: string;
    scheme: string;
    window_share: number;
    gross_sat: number;
    fee_sat: number;
    amount_sat: number;
  }[];
  ledger: LedgerRow[];
}

export interface Payout {
  id: number;
  state: string;
  total_sat: number;
  created_ms: number;
  changed_ms: number;
  first_sent_ms: number | null;
  txid: string | null;
  fee_sat: number | null;
  block_hash: string | null;
  block_height: number | null;
  confirmations: number;
  draft: string | null;
}

export interface PayoutDetail {
  payout: Payout;
  lines: { account: string; address: string; script: string; amount_sat: number }[];
  attempts: { number: number; purpose: string; txid: string; fee_sat: number; vbytes: number; is_signed: boolean }[];
  ledger: LedgerRow[];
}

const PATIENCE_MS = 8000;

let aheadMs = 0;

// The server's wall clock: all times of the API are its own.
export function serverNow(): number {
  return Date.now() + aheadMs;
}

// The server answered, but not with what was asked for. Whatever else `ask` throws means that it did not answer.
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function ask<Answer>(path: string): Promise<Answer> {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), credentials: "same-origin" });
  const served = Date.parse(answer.headers.get("Date") ?? "");
  // The header is cut to whole seconds: half of one is the mean error.
  if (!Number.isNaN(served)) aheadMs = served + 500 - Date.now();
  const value = (await answer.json()) as Answer & { error?: { message: string } };
  if (answer.status === 401 && path !== "/api/v1/session") dispatchEvent(new Event(LOGIN_NEEDED));
  if (!answer.ok) throw new Refused(answer.status, value.error?.message ?? `Status ${answer.status}.`);
  return value;
}

export const LOGIN_NEEDED = "steppe-login-needed";

// Something was ordered: what the page shows may be old.
export const ORDERED = "steppe-ordered";

// Something is changed. csrf: what the session said; it proves that the order comes from this page.
export async function change<Answer>(
  method: "POST" | "DELETE",
  path: string,
  csrf: string | null,
  body: unknown,
  patienceMs = PATIENCE_MS,
): Promise<Answer> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (csrf !== null) headers["X-CSRF-Token"] = csrf;
  const answer = await fetch(path, {
    method,
    headers,
    credentials: "same-origin",
    signal: AbortSignal.timeout(patienceMs),
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  });
  const value = (await answer.json()) as Answer & { error?: { message: string; hint: string } };
  if (!answer.ok) {
    const said = value.error ? `${value.error.message} ${value.error.hint}` : `Status ${answer.status}.`;
    throw new Refused(answer.status, said);
  }
  return value;
}
