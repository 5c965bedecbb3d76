// A table that lives on the server: it searches, sorts and cuts; this shows one page of it and asks for another. What
// was asked for stands in the address, so that it can be kept and sent to others.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Page } from "./api";
import { count, visible } from "./format";
import { useAnswer } from "./live";
import { type Column, missing, Problem, Rows } from "./parts";
import { type Place, withParameters, without } from "./router";

const PER_PAGE = ["25", "50", "100", "250"];
const TYPING_MS = 200;

export interface Choice {
  parameter: string;
  label: string;
  options: [value: string, text: string][];
}

interface Props<Row> {
  title: string;
  place: Place;
  path: string;
  columns: Column<Row>[];
  one: string;
  many: string;
  empty: string;
  search?: string;
  sort?: string;
  choices?: Choice[];
  csv?: boolean;
  fixed?: Record<string, string>;
  filters?: string[];
  children?: ComponentChildren;
}

export function Listing<Row>(props: Props<Row>) {
  const { title, place, path, columns, one, many, empty, choices = [] } = props;
  const standard: Record<string, string> = { page: "1", per_page: "50" };
  if (props.sort) Object.assign(standard, { sort: props.sort, order: "asc" });
  const names = [...(props.search ? ["q"] : []), ...choices.map((each) => each.parameter), ...Object.keys(standard)];
  const asked = Object.fromEntries(names.map((name) => [name, place.parameters.get(name) ?? standard[name] ?? ""]));
  const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== ""));
  for (const [name, value] of Object.entries(props.fixed ?? {})) query.set(name, value);
  // Empty is a value here: those without.
  const filtered = (props.filters ?? []).filter((name) => place.parameters.has(name));
  for (const name of filtered) query.set(name, place.parameters.get(name) ?? "");
  const { value: page, problem } = useAnswer<Page<Row>>(`${path}?${query}`);
  const go = (change: Record<string, string>) =>
    location.replace(withParameters(place, { page: "1", ...change }, standard));

  const last = page?.total == null ? 1 : Math.max(1, Math.ceil(page.total / page.per_page));
  const beyond = page !== null && page.page > last;
  useEffect(() => {
    if (beyond) go({ page: String(last) });
  }, [beyond, last]);

  const sorted = (column: Column<Row>) => {
    if (!column.sort) return undefined;
    if (column.sort !== asked.sort) return undefined;
    return asked.order === "asc" ? "ascending" : "descending";
  };
  const head = (column: Column<Row>) =>
    column.sort ? (
      <button type="button" onClick={() => go(nextSort(column, asked))}>
        {column.title}
      </button>
    ) : (
      column.title
    );
  const searched = Boolean(asked.q) || filtered.length > 0 || choices.some((each) => asked[each.parameter]);
  return (
    <section class="listing">
      <div class="tools">
        <h2>{title}</h2>
        <p class="total" role="status">
          {page?.total == null ? "" : howMany(page.total, page.kept, one, many)}
        </p>
        {filtered.map((name) => (
          <a class="button" key={name} href={without(place, name)} title="Remove this filter">
            {name}: {visible(place.parameters.get(name) ?? "") || "none"} ×
          </a>
        ))}
        {props.children}
        {choices.map((each) => (
          <select
            key={each.parameter}
            aria-label={each.label}
            value={asked[each.parameter]}
            onChange={(event) => go({ [each.parameter]: event.currentTarget.value })}
          >
            {each.options.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        ))}
        {props.search && <Search label={props.search} value={asked.q ?? ""} found={(q) => go({ q })} />}
        {props.csv && (
          <a class="button" href={`${path}.csv?${selected(query)}`} download>
            CSV
          </a>
        )}
      </div>
      <Problem problem={problem} unavailable={page?.unavailable ?? {}} />
      <div class="card">
        <Rows
          title={title}
          columns={columns}
          rows={page?.rows ?? []}
          empty={searched ? "Nothing matches." : empty}
          missing={missing({ value: page, problem }, page?.rows)}
          all={(page?.total ?? 0) > 1 ? (page?.together ?? null) : null}
          head={head}
          sorted={sorted}
        />
        {page?.total != null && page.total > Number(PER_PAGE[0]) && (
          <Pager
            page={page}
            last={last}
            perPage={asked.per_page ?? ""}
            turn={(number) => go({ page: String(number) })}
            resize={(per_page) => go({ per_page })}
          />
        )}
      </div>
    </section>
  );
}

// Of those that are kept, if fewer were sought.
export function howMany(total: number, kept: number | undefined, one: string, many: string): string {
  if (kept !== undefined && kept !== total) return `${count(total)} of ${count(kept)} ${kept === 1 ? one : many}`;
  return `${count(total)} ${total === 1 ? one : many}`;
}

export function nextSort(column: { sort?: string; numeric?: boolean }, asked: Record<string, string>) {
  const again = asked.sort === column.sort;
  const first = column.numeric ? "desc" : "asc"; // of numbers the big ones matter first
  return { sort: column.sort ?? "", order: again ? (asked.order === "asc" ? "desc" : "asc") : first };
}

// An export has all pages, in an order of its own.
function selected(query: URLSearchParams): string {
  const rest = new URLSearchParams(query);
  for (const name of ["page", "per_page", "sort", "order"]) rest.delete(name);
  return rest.toString();
}

function Search({ label, value, found }: { label: string; value: string; found: (text: string) => void }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const field = useRef<HTMLInputElement>(null);
  // Where it leads is known when the time is over: meanwhile something may have been chosen beside it.
  const newest = useRef(found);
  newest.current = found;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const writing = (event.target as Element).closest("input, select, textarea");
      if (event.key !== "/" || writing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
  return (
    <input
      ref={field}
      type="search"
      placeholder={`${label}  ( / )`}
      aria-label={label}
      autocomplete="off"
      spellcheck={false}
      maxLength={130}
      defaultValue={value}
      onInput={(event) => {
        const text = event.currentTarget.value.trim();
        clearTimeout(timer.current);
        timer.current = setTimeout(() => newest.current(text), TYPING_MS);
      }}
    />
  );
}

function Pager<Row>(props: {
  page: Page<Row>;
  last: number;
  perPage: string;
  turn: (page: number) => void;
  resize: (perPage: string) => void;
}) {
  const { page, last } = props;
  const first = (page.page - 1) * page.per_page;
  return (
    <div class="pager">
      <span>
        {count(first + 1)}–{count(first + (page.rows?.length ?? 0))} of {count(page.total)}
      </span>
      <button type="button" disabled={page.page <= 1} onClick={() => props.turn(page.page - 1)}>
        Previous
      </button>
      <button type="button" disabled={page.page >= last} onClick={() => props.turn(page.page + 1)}>
        Next
      </button>
      <label>
        Rows{" "}
        <select value={props.perPage} onChange={(event) => props.resize(event.currentTarget.value)}>
          {PER_PAGE.map((size) => (
            <option key={size}>{size}</option>
          ))}
        </select>
      </label>
    </div>
  );
}
