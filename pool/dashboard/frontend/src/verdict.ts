// What all checks say together, in two words.
import type { Health } from "./api";

const WORST_FIRST = ["down", "unknown", "warn", "ok"];

// What is wrong stands first, the worst of it on top; the rest as it came.
export function wrongFirst<T extends { state: string }>(checks: T[]): T[] {
  return [...checks].sort((one, other) => WORST_FIRST.indexOf(one.state) - WORST_FIRST.indexOf(other.state));
}

// Where there is more of what a check is about.
const PLACES: Record<string, string> = { moves: "moves", fleet: "fleets", ledger: "payouts", reserve: "payouts" };

export function placeOf(check: string): string {
  return PLACES[check] ?? "health";
}

export function verdict(health: Health | undefined): { state: "ok" | "warn" | "down" | "unknown"; text: string } {
  if (health === undefined) return { state: "unknown", text: "–" };
  const wrong = health.checks.filter((check) => check.state !== "ok");
  if (wrong.some((check) => check.state !== "warn")) return { state: "down", text: "Not ready" };
  return wrong.length ? { state: "warn", text: "Needs a look" } : { state: "ok", text: "All well" };
}
