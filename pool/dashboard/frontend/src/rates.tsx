// What shares say, in cells of tables.
import type { Activity, Rate, Window } from "./api";
import { error, hashrate, percent, words } from "./format";

export function refused(activity: Activity): number {
  return Object.values(activity.rejected).reduce((sum, number) => sum + number, 0);
}

export function RateCell({ rate }: { rate: Rate | undefined }) {
  return (
    <>
      {hashrate(rate?.hps)} <small>{error(rate)}</small>
    </>
  );
}

export function rejectNote(activity: Activity): string {
  const total = refused(activity);
  const most = Object.entries(activity.rejected).sort((one, other) => other[1] - one[1])[0];
  return most && total ? `${percent(total / (total + activity.accepted))} ${words(most[0])}` : "";
}

const WINDOWS: [Window, string][] = [
  ["1m", "1 min"],
  ["5m", "5 min"],
  ["1h", "1 hour"],
  ["24h", "24 hours"],
];

// The hashrate by window as bars, the standard error at their ends.
export function RateBars({ activity }: { activity: Activity | null }) {
  const rates = WINDOWS.map(([key]) => activity?.hashrate[key]);
  const top = Math.max(...rates.map((rate) => (rate ? rate.hps * (1 + Math.min(rate.error ?? 0, 1)) : 0)));
  return (
    <table class="windows">
      <caption class="hidden">Hashrate by window with its standard error</caption>
      <tbody>
        {WINDOWS.map(([key, name], place) => {
          const rate = rates[place];
          const deviation = Math.min(rate?.error ?? 0, 1);
          const part = rate && top > 0 ? rate.hps / top : 0;
          return (
            <tr key={key}>
              <th scope="row">{name}</th>
              <td aria-hidden="true">
                <span class={part ? "range" : "range none"}>
                  <i style={{ width: `${part * 100}%` }} />
                  <b style={{ left: `${part * (1 - deviation) * 100}%`, width: `${part * 2 * deviation * 100}%` }} />
                </span>
              </td>
              <td class="number">{hashrate(rate?.hps)}</td>
              <td class="number">{error(rate)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
