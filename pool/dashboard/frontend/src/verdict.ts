// What all checks say together, in two words.
import type { Health } from "./api";

export function verdict(health: Health | undefined): { state: "ok" | "warn" | "down" | "unknown"; text: string } {
  if (health === undefined) return { state: "unknown", text: "–" };
  const wrong = health.checks.filter((check) => check.state !== "ok");
  if (wrong.some((check) => check.state !== "warn")) return { state: "down", text: "Not ready" };
  return wrong.length ? { state: "warn", text: "Needs a look" } : { state: "ok", text: "All well" };
}
