// Reports about fleets as people read them; each can be printed, and had as figures.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

import { count, hashrate, power, readable, scaled, title, visible } from "../format";
import { columns, isNumeric, type Paper } from "../fleet";
import { inUtc, timeAxis, useScheme } from "../history";
import { useAnswer } from "../live";
import { Breakable, Card, Facts, Path, Problem, Rows } from "../parts";
import { link, type Place } from "../router";
import { Choices } from "./choices";

export const REPORTS = [
  ["commissioning", "Commissioning"],
  ["power", "Power"],
  ["downtime", "Downtime"],
  ["weak", "Weak machines"],
] as const;

const HEIGHT_PX = 260;
const MINUTE_MS = 60_000; // a report is as of the last full minute, and one of ten thousand machines takes seconds
const ROWS_SHOWN = 40;
const SHORT = 22; // characters of a name that stands on one line on a phone, too: a time is one
const UNITS = ["sat"]; // a heading that stands as it is
const LIMITS = ["capacity", "reserved"]; // lines that others stay below
const COLORS = ["--accent", "--warn", "--down", "--quiet", "--ok"];

export function ReportPage({ kind, place }: { kind: string; place: Place }) {
  const asked = new URLSearchParams(place.parameters);
  const path = `/api/v1/reports/${encodeURIComponent(kind)}`;
  const form = (name: string) => `${path}?${new URLSearchParams([...asked, ["form", name]])}`;
  const { value: paper, problem } = useAnswer<Paper>(form("paper"), MINUTE_MS);
  const without = paper?.tables.filter((table) => table.rows.length === 0).map((table) => table.title) ?? [];
  return (
    <>
      <Path above={[kind === "relocation" ? ["Moves", link("moves")] : ["Fleets", link("fleets")]]}>
        {visible(paper ? paper.title : kind)}
      </Path>
      <Problem problem={problem} />
      <Choices kind={kind} place={place} />
      {paper && (
        <>
          <p class="links">
            <a href={form("html")} target="_blank" rel="noreferrer">
              To print
            </a>
            <a href={form("data")}>Figures as JSON</a>
          </p>
          <div class="card padded">
            <Facts className="facts" facts={paper.facts.map(([what, value]) => [what, <Timed text={value} />])} />
          </div>
          {paper.charts.length + paper.tables.length === 0 && (
            <p class="note">Nothing is known to report of: enter sites, batches and assignments first.</p>
          )}
          {paper.charts.map((chart) => (
            <Card key={chart.title} title={chart.title}>
              <Lines chart={chart} />
            </Card>
          ))}
          {paper.tables
            .filter((table) => table.rows.length > 0)
            .map((table) => (
              <Card key={table.title} title={table.title}>
                {table.note && <p class="note">{visible(table.note)}</p>}
                <Table table={table} />
              </Card>
            ))}
          {without.length > 0 && (
            <Card title="Nothing to list">
              <p class="empty">{visible(without.join("; "))}.</p>
            </Card>
          )}
        </>
      )}
    </>
  );
}

// The first rows of a table, and the rest where somebody wants them: one of a whole fleet has ten thousand.
function Table({ table }: { table: Paper["tables"][number] }) {
  const [whole, showWhole] = useState(false);
  const rows = whole ? table.rows : table.rows.slice(0, ROWS_SHOWN);
  return (
    <>
      <Rows<string[]>
        title={table.title}
        rows={rows}
        empty=""
        columns={table.columns.map((column, index) => ({
          title: UNITS.includes(column) ? column : title(column),
          numeric: isNumeric(table.rows, index),
          className: index === 0 && table.rows.every((row) => (row[0] ?? "").length <= SHORT) ? "short" : "",
          show: (row) => <Cell column={column} text={row[index] ?? ""} />,
        }))}
      />
      {rows.length < table.rows.length && (
        <p class="pager">
          <span>
            The first {rows.length} of {count(table.rows.length)}
          </span>
          <button type="button" onClick={() => showWhole(true)}>
            Show all
          </button>
        </p>
      )}
    </>
  );
}

function Cell({ column, text }: { column: string; text: string }) {
  if (column !== "machine") return <Timed text={text} />;
  return (
    <a href={link("workers", text)}>
      <Breakable name={text} after="." />
    </a>
  );
}

// Words in which no time is cut in two.
function Timed({ text }: { text: string }) {
  const parts = readable(visible(text)).split(/(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? UTC)/);
  if (parts.length === 1) return <>{parts[0]}</>;
  return (
    <>
      {parts.map((part, index) =>
        index % 2 ? (
          <time key={index} class="whole-part">
            {part}
          </time>
        ) : (
          part
        ),
      )}
    </>
  );
}

function Lines({ chart }: { chart: Paper["charts"][number] }) {
  const box = useRef<HTMLDivElement>(null);
  const scheme = useScheme();
  const said = JSON.stringify(chart);
  const [pointed, point] = useState<number | null>(null);
  const data = columns(chart.lines);
  const at = pointed === null ? undefined : data[0][pointed];
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const made = new uPlot(options(chart, place, point), columns(chart.lines) as uPlot.AlignedData, place);
    const resized = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: HEIGHT_PX }));
    resized.observe(place);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [scheme, said]);
  return (
    <>
      <div ref={box} class="plot" role="img" aria-label={`${chart.title}: the tables below have its figures`} />
      <p class="keys">
        {chart.lines.map((line, index) => (
          <span
            key={line.name}
            data-limit={LIMITS.includes(line.name)}
            style={{ "--key": `var(${COLORS[index % COLORS.length]})` }}
          >
            {visible(line.name)} {at !== undefined && <b>{inUnit(valueAt(line.points, at * 1000), chart.unit)}</b>}
          </span>
        ))}
        {at !== undefined && <small>at {clock(at * 1000)}</small>}
        {chart.marks.map(([ms, what]) => (
          <small key={what}>
            {title(visible(what))}: from {clock(ms)}
          </small>
        ))}
      </p>
    </>
  );
}

function clock(ms: number): string {
  return readable(new Date(ms).toISOString());
}

// What a line of steps has at a time.
function valueAt(points: [number, number][], ms: number): number | null {
  return points.findLast(([from]) => from <= ms)?.[1] ?? null;
}

function inUnit(value: number | null, unit: string): string {
  if (value === null) return "–";
  if (unit === "GH/s") return hashrate(value * 1e9);
  return unit === "W" ? power(value) : `${scaled(value)} ${unit}`;
}

function options(
  chart: Paper["charts"][number],
  place: HTMLElement,
  point: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    width: place.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { setScale: false, x: false, y: false } },
    tzDate: inUtc,
    scales: { y: { range: (_plot, _low, high) => [0, (high || 1) * 1.08] } },
    axes: [
      timeAxis(axis),
      { ...axis, size: 78, values: (_plot, ticks) => ticks.map((tick) => inUnit(tick, chart.unit)) },
    ],
    series: [
      {},
      ...chart.lines.map((line, index) => ({
        ...(LIMITS.includes(line.name) && { dash: [6, 4] }),
        stroke: color(COLORS[index % COLORS.length] ?? "--accent"),
        width: 1.5,
        points: { show: false },
        spanGaps: true,
        ...(stepped && { paths: stepped }),
      })),
    ],
    hooks: {
      setCursor: [(plot) => point(plot.cursor.idx ?? null)],
      draw: [
        (plot) => {
          const { ctx, bbox } = plot;
          ctx.save();
          ctx.strokeStyle = color("--line-strong");
          ctx.setLineDash([4, 4]);
          for (const [ms] of chart.marks) {
            const x = plot.valToPos(ms / 1000, "x", true);
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
          }
          ctx.restore();
        },
      ],
    },
  };
}
