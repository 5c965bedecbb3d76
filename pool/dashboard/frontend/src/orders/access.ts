// What an operator orders about what lets others in.
import { serverNow } from "../api";
import { age, count, moment } from "../format";
import type { Session } from "../session";
import type { Spec } from "./spec";

export interface Credential {
  id: number;
  kind: string;
  name: string;
  scope: string;
  rights: string[];
  created_ms: number;
  until_ms: number | null;
  made_by: string;
  sessions: number;
  used_ms: number | null;
}

const KINDS: Record<string, string> = {
  link: "watcher's link",
  key: "account owner's key",
  token: "program's token",
  password: "operator's password",
  invite: "operator's invitation",
  session: "session of a browser",
};

export function kindInWords(kind: string): string {
  return KINDS[kind] ?? kind;
}

// Who opened a link a year ago is not told as never: a process knows only what came since it started.
export function usedInWords(row: Credential, nowMs: number): string {
  return row.used_ms === null ? "not since the web role started" : age(row.used_ms, nowMs);
}

// Of its use the newest is asked for when the dialog opens: somebody may have come in since the table was read.
export function revokeOrder(row: Credential, session: Session | null): Spec {
  const what = `${kindInWords(row.kind)} ${row.name}`;
  return {
    title: "Revoke",
    facts: [
      ["What", `${kindInWords(row.kind)}, number ${row.id}`],
      [row.kind === "token" ? "Name" : "Whose", row.name],
      ["Sees", row.scope],
      ["May", row.rights.join(", ")],
      ["Made", `${moment(row.created_ms)} by ${row.made_by}`],
      ["Ends by itself", row.until_ms === null ? "never" : moment(row.until_ms)],
    ],
    says: FOLLOWS[row.kind]?.(row.name) ?? OPENS_NOTHING,
    look: {
      path: "/api/v1/access",
      words: ({ rows }: { rows: Credential[] }) => lostInWords(row, rows, session, serverNow()),
    },
    isFinal: true,
    method: "DELETE",
    path: `/api/v1/access/${row.id}`,
    body: () => null,
    done: `${what} is revoked`,
  };
}

const ANEW = "It cannot be taken back, only made anew, with another secret.";
const OPENS_NOTHING = `It opens the page for nobody any more. ${ANEW}`;

const FOLLOWS: Record<string, (name: string) => string> = {
  token: () => `Whatever program sends this token is refused within a second. ${ANEW}`,
  session: (name) =>
    `This browser of ${name} is cut off within seconds. Whoever has what it came in by can come in again.`,
  invite: () => "Who got this invitation and has not followed it yet cannot come in by it.",
  password: (name) => `${name} cannot log in any more until the pool's machine sets another password.`,
};

// What is lost at once. rows: everything that holds now, from which it follows who stays without a way in.
export function lostInWords(row: Credential, rows: Credential[], session: Session | null, nowMs: number): string {
  const now = rows.find((each) => each.id === row.id);
  if (now === undefined) return "It does not hold any more: it was revoked, or is over.";
  const said = [`Last used: ${usedInWords(now, nowMs)}.`];
  if (LETS_IN.includes(row.kind)) said.push(cutOff(now.sessions));
  const isLast = row.kind === "password" && !rows.some((each) => each.kind === "password" && each.id !== row.id);
  if (isLast) said.push("It is the last password of an operator.");
  if (isOwn(row, session)) said.push(`You are in as ${row.name}: it may log you out.`);
  return said.join(" ");
}

// A program's token is shown with each request, and a session is one browser.
export const LETS_IN = ["link", "key", "password"];

function cutOff(sessions: number): string {
  if (sessions === 0) return "No browser is in by it now.";
  if (sessions === 1) return "1 browser that is in by it is cut off within seconds.";
  return `${count(sessions)} browsers that are in by it are cut off within seconds.`;
}

function isOwn(row: Credential, session: Session | null): boolean {
  return ["password", "session"].includes(row.kind) && session?.who === `operator:${row.name}`;
}
