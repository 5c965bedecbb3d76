// Asking the API. The browser sends If-None-Match by itself; the server's clock comes with each answer.

const PATIENCE_MS = 8000;

let aheadMs = 0;

// The server answered, but not with what was asked for. Whatever else `ask` throws means that it did not answer.
export class Refused extends Error {}

// The server's wall clock: all times of the API are its own.
export function serverNow() {
  return Date.now() + aheadMs;
}

export async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), credentials: "same-origin" });
  const served = Date.parse(answer.headers.get("Date"));
  // The header is cut to whole seconds: half of one is the mean error.
  if (!Number.isNaN(served)) aheadMs = served + 500 - Date.now();
  const value = await answer.json();
  if (!answer.ok) throw new Refused(value.error ? value.error.message : `Status ${answer.status}.`);
  return value;
}
