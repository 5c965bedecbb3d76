// Who looks at the page, and what they may see. The session itself is a cookie that no script can read.
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

import { ask, change, LOGIN_NEEDED } from "./api";

export interface Session {
  who: string;
  role: "nobody" | "watcher" | "owner" | "operator" | "token";
  scope: string | null;
  rights: string[];
  csrf: string | null;
  until_ms: number | null;
  public: string[];
  is_admin: boolean;
  needs_setup: boolean;
}

const PATH = "/api/v1/session";

// Parts of which who sees a part of the pool gets what is theirs.
const OWN = ["overview", "workers", "accounts", "blocks"];

export interface Known {
  session: Session | null;
  set: (session: Session) => void;
}

export const SessionContext = createContext<Known>({ session: null, set: () => undefined });

export function useSession(): Known {
  return useContext(SessionContext);
}

export function useSessionSource(): Known {
  const [session, set] = useState<Session | null>(null);
  useEffect(() => {
    const look = () => ask<Session>(PATH).then(set, () => undefined);
    look();
    // Something was refused for want of a login: the session may be over.
    addEventListener(LOGIN_NEEDED, look);
    const timer = setInterval(() => document.hidden || look(), LOOK_MS);
    return () => {
      removeEventListener(LOGIN_NEEDED, look);
      clearInterval(timer);
    };
  }, []);
  return { session, set };
}

const LOOK_MS = 60_000;

export function maySee(session: Session | null, part: string): boolean {
  if (session === null || part === "always") return true; // the server decides; this is only about what to show
  if (part === "operators") return session.role === "operator";
  if (session.scope === "pool") return true;
  // Machines of a site or a fleet may be of many accounts: who watches them is told of none.
  if (part === "accounts" && session.scope !== null) return session.scope.startsWith("account:");
  return session.public.includes(part) || (session.scope !== null && OWN.includes(part));
}

// Who watches a site or a fleet has no money: where the pool's is not for everybody, zeros would stand in its place.
export function seesMoney(session: Session | null): boolean {
  return session === null || session.public.includes("overview") || maySee(session, "accounts");
}

// Whether a link to a part leads anywhere. Strangers are led to the login.
export function mayGo(session: Session | null, part: string): boolean {
  return session?.role === "nobody" || maySee(session, part);
}

// Whether to show buttons at all: the server decides, and orders are only taken at the operators' listener.
export function mayOrder(session: Session | null, right: "payouts" | "moves"): boolean {
  return session !== null && session.is_admin && session.scope === "pool" && session.rights.includes(right);
}

export function logIn(name: string, secret: string): Promise<Session> {
  return change<Session>("POST", PATH, null, { name, secret });
}

export function logOut(session: Session): Promise<Session> {
  return change<Session>("DELETE", PATH, session.csrf, null);
}

export function whoInWords(session: Session): string {
  const name = session.who.slice(session.who.indexOf(":") + 1);
  if (session.role === "operator") return name;
  if (session.role === "owner") return name;
  return `${name}, watching ${session.scope === "pool" ? "the pool" : (session.scope ?? "").replace(":", " ")}`;
}
