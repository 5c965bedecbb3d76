// Names that the page knows, suggested where one is asked for. Another may be typed all the same: the server decides.
import { useEffect, useState } from "preact/hooks";

import { ask, type Page } from "../api";
import { type Assignment, type Fact, said, type Site } from "../fleet";

export type Known = "accounts" | "places" | "patterns" | "endpoints" | "scopes";
export type Name = [name: string, what: string];

interface Source {
  path: string;
  names: (answer: never) => Name[];
}

const MOST = 500; // rows of one answer; a longer list helps nobody to choose

interface Region {
  region: string;
  endpoint: string;
}

function facts<Row>(group: string, kind: string, name: (row: Row) => Name): Source {
  return {
    path: `/api/v1/${group}?kind=${kind}&per_page=${MOST}`,
    names: ({ rows }: Page<Fact>) => said<Row>(rows, kind).map(name),
  };
}

function accounts(name: (account: string) => Name): Source {
  return {
    path: `/api/v1/accounts?per_page=${MOST}`,
    names: ({ rows }: Page<{ name: string }>) => (rows ?? []).map((each) => name(each.name)),
  };
}

function regions(name: (region: Region) => Name): Source {
  return { path: "/api/v1/regions", names: ({ rows }: { rows: Region[] | null }) => (rows ?? []).map(name) };
}

const SOURCES: Record<Known, Source[]> = {
  accounts: [accounts((name) => [name, ""])],
  places: [
    facts<Site>("sites", "site", ({ name, region }) => [name, region ? `site in ${region}` : "site"]),
    regions(({ region }) => [region, "region"]),
  ],
  patterns: [facts<Assignment>("assignments", "assignment", ({ pattern, account }) => [pattern, `of ${account}`])],
  endpoints: [regions(({ region, endpoint }) => [endpoint, region && `of ${region}`])],
  scopes: [
    accounts((name) => [`account:${name}`, ""]),
    facts<Site>("sites", "site", ({ name }) => [`site:${name}`, ""]),
    facts<{ name: string }>("fleets", "fleet", ({ name }) => [`fleet:${name}`, ""]),
  ],
};

const ALWAYS: Partial<Record<Known, Name[]>> = { scopes: [["pool", ""]] };

// Each name once. What cannot be read now is not suggested, and nothing is said of it: the field is there to be typed in.
export async function namesOf(known: Known, read: (path: string) => Promise<unknown>): Promise<Name[]> {
  const found = await Promise.allSettled(SOURCES[known].map(async ({ path, names }) => names((await read(path)) as never)));
  const names = new Map<string, string>(ALWAYS[known]);
  for (const each of found.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []))) {
    if (each[0] && !names.has(each[0])) names.set(...each);
  }
  return [...names];
}

// Of a field: the list of what is suggested for it, below. Only what fits to what stands there is suggested, so that who
// comes there has it marked, and may type over it.
export function suggested(known: Known | undefined | false): Suggested | { list?: never } {
  return known ? { list: listOf(known), onFocus: (event) => event.currentTarget.select() } : {};
}

interface Suggested {
  list: string;
  onFocus: (event: { currentTarget: HTMLInputElement }) => void;
}

function listOf(known: Known): string {
  return `known-${known}`;
}

export function Suggestions({ of }: { of: (Known | undefined)[] }) {
  const all = [...new Set(of)].filter((each) => each !== undefined);
  return (
    <>
      {all.map((each) => (
        <List key={each} known={each} />
      ))}
    </>
  );
}

function List({ known }: { known: Known }) {
  const [names, setNames] = useState<Name[]>([]);
  useEffect(() => {
    let gone = false;
    namesOf(known, ask).then((found) => gone || setNames(found));
    return () => {
      gone = true;
    };
  }, [known]);
  return (
    <datalist id={listOf(known)}>
      {names.map(([name, what]) => (
        <option key={name} value={name} {...(what && { label: what })} />
      ))}
    </datalist>
  );
}
