// Hashrate over time with its error band, and rejects below.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

import { hashrate, percent } from "./format";
import { useAnswer } from "./live";
import { Problem } from "./parts";

export interface History {
  step_seconds: number;
  cells: { start_ms: number; hps: number; error: number | null; accepted: number; rejected: number }[];
  unavailable: Record<string, string>;
}

const SPANS = [
  ["1h", "1 hour"],
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["30d", "30 days"],
] as const;

const DAY_SECONDS = 86_400;
const HEIGHT_PX = 230;

export function HashrateChart({ path }: { path: string }) {
  const [span, setSpan] = useState<string>("1h");
  const { value, problem } = useAnswer<History>(`${path}?span=${span}`);
  return (
    <>
      <div class="tools">
        <h3>Hashrate over time</h3>
        <div class="spans" role="group" aria-label="Span of the chart">
          {SPANS.map(([key, title]) => (
            <button key={key} type="button" aria-pressed={span === key} onClick={() => setSpan(key)}>
              {title}
            </button>
          ))}
        </div>
      </div>
      <Problem problem={problem} unavailable={value?.unavailable ?? {}} />
      {value && isEmpty(value) ? (
        <p class="plot empty">{inWords(value)}</p>
      ) : (
        <>
          <Plot history={value} />
          {value && <p class="quiet">{inWords(value)}</p>}
        </>
      )}
    </>
  );
}

function isEmpty({ cells }: History): boolean {
  return !cells.some((cell) => cell.hps > 0);
}

export function inWords(history: History): string {
  const { cells, step_seconds } = history;
  if (isEmpty(history)) return Object.keys(history.unavailable).length ? "Not known now." : "No share in this span.";
  const rates = cells.map((cell) => cell.hps);
  const mean = rates.reduce((sum, hps) => sum + hps, 0) / rates.length;
  const accepted = cells.reduce((sum, cell) => sum + cell.accepted, 0);
  const rejected = cells.reduce((sum, cell) => sum + cell.rejected, 0);
  const step = step_seconds < 3600 ? `${step_seconds / 60} min` : `${step_seconds / 3600} h`;
  return (
    `Mean ${hashrate(mean)}, highest ${hashrate(Math.max(...rates))} within ${step}, ` +
    `${percent(rejected / Math.max(1, accepted + rejected))} of the shares rejected. ` +
    "The band is one standard error to both sides. Times are UTC."
  );
}

// Columns for the chart: seconds, middle, lower and upper end of the band.
export function series({ cells }: History): [number[], (number | null)[], (number | null)[], (number | null)[]] {
  return [
    cells.map((cell) => cell.start_ms / 1000),
    cells.map((cell) => cell.hps),
    cells.map((cell) => cell.hps * (1 - Math.min(1, cell.error ?? 0))),
    cells.map((cell) => cell.hps * (1 + Math.min(1, cell.error ?? 0))),
  ];
}

function Plot({ history }: { history: History | null }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const scheme = useScheme();
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const made = new uPlot(options(place), [[], [], [], []], place);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: HEIGHT_PX }));
    resized.observe(place);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [scheme]);
  useEffect(() => {
    if (history) plot.current?.setData(series(history));
  }, [history, scheme]);
  return (
    <div ref={box} class="plot" role="img" aria-label={history ? inWords(history) : "Hashrate over time, loading"} />
  );
}

export function useScheme(): boolean {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = () => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return dark;
}

// The page tells all times in UTC, as the log does; so the ticks stand on its hours and days.
export function inUtc(seconds: number): Date {
  return uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
}

export function timeAxis(axis: uPlot.Axis): uPlot.Axis {
  return { ...axis, values: (_plot, ticks) => moments(ticks), space: 70, size: 34 };
}

// Hours and minutes while the ticks stand within days, and the day where it begins.
export function moments(ticks: number[]): string[] {
  const [first = 0, second = 0] = ticks;
  const form = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
  const day = form({ month: "short", day: "numeric" });
  const time = form({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const withinDays = second - first < DAY_SECONDS;
  return ticks.map((tick) => (withinDays && tick % DAY_SECONDS ? time : day).format(tick * 1000));
}

function options(place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  const edge = { stroke: "transparent", points: { show: false }, show: true };
  return {
    width: place.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    tzDate: inUtc,
    scales: { y: { range: (_plot, _low, high) => [0, (high || 1) * 1.08] } },
    axes: [timeAxis(axis), { ...axis, size: 78, values: (_plot, ticks) => ticks.map((tick) => hashrate(tick)) }],
    series: [
      {},
      { stroke: color("--accent"), width: 1.5, points: { show: false } },
      edge,
      edge,
    ],
    bands: [{ series: [3, 2], fill: color("--band") }],
  };
}
