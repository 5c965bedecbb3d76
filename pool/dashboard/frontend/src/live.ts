// What the server pushes: the overview whenever it changed. The other parts of a page ask again at each push.
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

import { ask, ORDERED, type Overview, Refused, serverNow } from "./api";

export interface Live {
  overview: Overview | null;
  connected: boolean;
  turn: number; // counts the pushes
}

export const LiveContext = createContext<Live>({ overview: null, connected: false, turn: 0 });

// who: whose overview it is; null while there is none to be had.
export function useLiveSource(who: string | null): Live {
  const [live, setLive] = useState<Live>({ overview: null, connected: false, turn: 0 });
  useEffect(() => {
    if (who === null) {
      setLive({ overview: null, connected: false, turn: 0 });
      return undefined;
    }
    let source: EventSource | null = null;
    const open = () => {
      source = new EventSource("/api/v1/events");
      source.addEventListener("overview", (event) => {
        const overview = JSON.parse((event as MessageEvent<string>).data) as Overview;
        setLive((before) => ({ overview, connected: true, turn: before.turn + 1 }));
      });
      // The browser connects again by itself and tells the last id; only a refusal ends it.
      source.onerror = () => {
        setLive((before) => ({ ...before, connected: false }));
        if (source?.readyState === EventSource.CLOSED) setTimeout(reopen, RETRY_MS);
      };
    };
    const close = () => {
      source?.close();
      source = null;
    };
    const reopen = () => {
      close();
      if (!document.hidden) open();
    };
    // Nobody looks: nothing is asked for.
    document.addEventListener("visibilitychange", reopen);
    reopen();
    return () => {
      document.removeEventListener("visibilitychange", reopen);
      close();
    };
  }, [who]);
  return live;
}

const RETRY_MS = 5000;

export function useLive(): Live {
  return useContext(LiveContext);
}

export interface Asked<Answer> {
  value: Answer | null;
  problem: string | null;
}

// An answer of the API, asked for again at each push, or only at the first one in so many milliseconds, and when
// something was ordered. Of one path only the newest answer counts.
export function useAnswer<Answer>(path: string, everyMs = 0): Asked<Answer> {
  const live = useLive();
  const turn = everyMs ? Math.floor(serverNow() / everyMs) : live.turn;
  const [orders, setOrders] = useState(0);
  useEffect(() => {
    const again = () => setOrders((before) => before + 1);
    addEventListener(ORDERED, again);
    return () => removeEventListener(ORDERED, again);
  }, []);
  const [asked, setAsked] = useState<Asked<Answer> & { path: string }>({ path, value: null, problem: null });
  useEffect(() => {
    let gone = false;
    ask<Answer>(path).then(
      (value) => gone || setAsked({ path, value, problem: null }),
      (error: unknown) => {
        if (gone) return;
        // Without an answer the old one stays; the bar says that the page is not live.
        if (error instanceof Refused) setAsked({ path, value: null, problem: error.message });
      },
    );
    return () => {
      gone = true;
    };
  }, [path, turn, orders]);
  return asked.path === path ? asked : { value: null, problem: null };
}

// The time of the server, a second at a time, so that ages run on between two pushes.
export function useNow(): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
