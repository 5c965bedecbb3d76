// The small parts that every page is made of.
import { type ComponentChildren, Fragment } from "preact";

import { visible } from "./format";

export function Panel(props: { title: string; wide?: boolean; className?: string; children: ComponentChildren }) {
  const { title, wide, className = "", children } = props;
  return (
    <article class={`panel ${wide ? "wide" : className}`.trim()}>
      <h3>{title}</h3>
      {children}
    </article>
  );
}

export function Figure({ value, note }: { value: string; note?: string }) {
  return (
    <p class="figure">
      <span>{value}</span> {note && <small>{note}</small>}
    </p>
  );
}

export type Fact = [name: string, value: ComponentChildren];

export function Facts({ facts, className }: { facts: Fact[]; className?: string }) {
  return (
    <dl class={className}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

// Of rows that are not here: they come, or nobody can tell. Only an answer may say that there are none.
export type Missing = "loading" | "unknown" | null;

export function missing(asked: { value: unknown; problem: string | null }, rows?: unknown): Missing {
  if (asked.value === null) return asked.problem === null ? "loading" : "unknown";
  return rows === null ? "unknown" : null;
}

const MISSING = { loading: "Loading", unknown: "Not known now." };

export interface Column<Row> {
  title: string;
  numeric?: boolean;
  className?: string;
  sort?: string;
  state?: (row: Row) => string;
  show: (row: Row) => ComponentChildren;
  total?: (rows: Row[]) => ComponentChildren; // of all rows, in a row of its own where there are several
}

const STACKED_COLUMNS = 4; // so many do not fit a phone
const STACKED_CELLS = 60; // each is a line; a longer table is read as one

type Role = "table" | "rowgroup" | "row" | "columnheader" | "rowheader" | "cell";

// On a phone a short table with many columns is a list of cards: nothing of it is out of sight.
export function isStacked(rows: number, columns: number): boolean {
  return rows > 0 && columns >= STACKED_COLUMNS && rows * columns <= STACKED_CELLS;
}

// A table of what is already here; the first column names the row.
export function Rows<Row>(props: {
  title: string;
  columns: Column<Row>[];
  rows: Row[];
  empty: string;
  missing?: Missing;
  all?: Row | null; // what the last row tells of, if not of these rows
  head?: (column: Column<Row>) => ComponentChildren;
  sorted?: (column: Column<Row>) => "ascending" | "descending" | undefined;
}) {
  const { title, columns, rows, head, sorted } = props;
  const empty = props.missing ? MISSING[props.missing] : props.empty;
  const stacked = !head && isStacked(rows.length, columns.length);
  // What is not displayed as a table is none for some readers, unless it says so.
  const role = (name: Role) => (stacked ? { role: name } : {});
  const label = (column: Column<Row>) => (stacked ? { "data-label": column.title } : {});
  const summed = props.all === undefined ? rows : props.all === null ? [] : [props.all];
  const totals = (props.all || summed.length > 1) && columns.some((column) => column.total);
  const classes = (column: Column<Row>) => `${column.numeric ? "number " : ""}${column.className ?? ""}`.trim();
  return (
    <div class="frame" tabIndex={0} role="region" aria-label={title}>
      <table class={stacked ? "rows stacked" : "rows"} {...role("table")}>
        <caption class="hidden">{title}</caption>
        <thead {...role("rowgroup")}>
          <tr {...role("row")}>
            {columns.map((column) => (
              <th
                key={column.title}
                scope="col"
                class={classes(column)}
                aria-sort={sorted?.(column)}
                {...role("columnheader")}
              >
                {head ? head(column) : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody {...role("rowgroup")}>
          {rows.map((row, place) => (
            <tr key={place} {...role("row")}>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key={column.title} scope="row" class={classes(column)} {...role("rowheader")}>
                    {column.show(row)}
                  </th>
                ) : (
                  <td
                    key={column.title}
                    class={classes(column)}
                    data-state={column.state?.(row)}
                    {...role("cell")}
                    {...label(column)}
                  >
                    {column.show(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
        {totals && (
          <tfoot {...role("rowgroup")}>
            <tr {...role("row")}>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key={column.title} scope="row" class={classes(column)} {...role("rowheader")}>
                    All
                  </th>
                ) : (
                  <td key={column.title} class={classes(column)} {...role("cell")} {...label(column)}>
                    {column.total?.(summed)}
                  </td>
                ),
              )}
            </tr>
          </tfoot>
        )}
      </table>
      {rows.length === 0 && (
        <p class="empty">
          <Typed text={empty} />
        </p>
      )}
    </div>
  );
}

export function Card({ title, note, children }: { title: string; note?: string | undefined; children: ComponentChildren }) {
  return (
    <section class="listing">
      <div class="tools">
        <h2>{title}</h2>
        {note && <p class="quiet">{note}</p>}
      </div>
      <div class="card">{children}</div>
    </section>
  );
}

// A card that is one table.
export function TableCard<Row>(table: {
  title: string;
  note?: string | undefined;
  columns: Column<Row>[];
  rows: Row[];
  empty: string;
  missing?: Missing;
}) {
  return (
    <Card title={table.title} note={table.note}>
      <Rows {...table} />
    </Card>
  );
}

// What came instead of an answer, or beside it.
export function Problem({ problem, unavailable }: { problem?: string | null; unavailable?: Record<string, string> }) {
  const text = problem ?? Object.values(unavailable ?? {}).join(" ");
  return text ? <p class="notice">{text}</p> : null;
}

const WHOLE = 16; // characters of a part that a phone has room for

// A long name that is cut, where there is little room, where its parts meet.
export function Breakable({ name, after }: { name: string; after: "." | "/" }) {
  const parts = visible(name).split(after);
  return (
    <>
      {parts.map((part, index) => (
        <Fragment key={index}>
          {index > 0 && <wbr />}
          <span class={part.length > WHOLE ? undefined : "whole-part"}>
            {part}
            {index < parts.length - 1 && after}
          </span>
        </Fragment>
      ))}
    </>
  );
}

// Where a page stands: the pages above it as links, and its own name.
export function Path({ above, children }: { above: [title: string, href: string][]; children: ComponentChildren }) {
  return (
    <h2 class="title">
      {above.map(([title, href]) => (
        <Fragment key={href}>
          <a href={href}>{title}</a> /{" "}
        </Fragment>
      ))}
      {children}
    </h2>
  );
}

// Text in which `backticks` mark what is to be typed.
export function Typed({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;
}
