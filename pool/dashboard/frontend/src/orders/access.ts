// What an operator orders about what lets others in.
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

// all: everything that holds, from which it follows who stays without a way in.
export function revokeOrder(row: Credential, all: Credential[], session: Session | null, nowMs: number): Spec {
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
      ["Last used", usedInWords(row, nowMs)],
    ],
    says: follows(row, all) + (isOwn(row, session) ? ` You are in as ${row.name}: it may log you out.` : ""),
    isFinal: true,
    method: "DELETE",
    path: `/api/v1/access/${row.id}`,
    body: () => null,
    done: `${what} is revoked`,
  };
}

function follows(row: Credential, all: Credential[]): string {
  const again = "It cannot be taken back, only made anew, with another secret.";
  const browsers = row.sessions === 1 ? "1 browser that is" : `${count(row.sessions)} browsers that are`;
  const cut = row.sessions
    ? `${browsers} in by it ${row.sessions === 1 ? "is" : "are"} cut off within seconds`
    : "No browser is in by it now";
  switch (row.kind) {
    case "token":
      return `Whatever program sends this token is refused within a second. ${again}`;
    case "session":
      return `This browser of ${row.name} is cut off within seconds. Whoever has what it came in by can come in again.`;
    case "invite":
      return "Who got this invitation and has not followed it yet cannot come in by it.";
    case "password": {
      const others = all.some((each) => each.kind === "password" && each.id !== row.id);
      const last = "It is the last password of an operator: only a command on the pool's machine lets one in again.";
      return `${cut}, and ${row.name} cannot log in any more. ${others ? again : last}`;
    }
    default:
      return `${cut}, and it opens the page for nobody any more. ${again}`;
  }
}

function isOwn(row: Credential, session: Session | null): boolean {
  return ["password", "session"].includes(row.kind) && session?.who === `operator:${row.name}`;
}
