// What shares say, in cells of tables.
import type { Activity, Rate } from "./api";
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
