// Where the page is: `#/workers?q=rack-7` is path ["workers"] and parameters {q: "rack-7"}. Behind the hash, so that the
// server knows one document only and every state of a page can be bookmarked.
import { useEffect, useState } from "preact/hooks";

export interface Place {
  path: string[];
  parameters: URLSearchParams;
}

export function parse(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decode), parameters: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // typed by hand: the server will say that there is no such thing
  }
}

export function link(...path: string[]): string {
  return `#/${path.map(encodeURIComponent).join("/")}`;
}

export function linkWith(path: string, parameters: Record<string, string>): string {
  return `${link(path)}?${new URLSearchParams(parameters)}`;
}

// The same page with other parameters; those that are empty or say the standard are left out of the address.
export function withParameters(place: Place, change: Record<string, string>, standard: Record<string, string>): string {
  const parameters = new URLSearchParams(place.parameters);
  for (const [name, value] of Object.entries(change)) {
    if (value === (standard[name] ?? "")) parameters.delete(name);
    else parameters.set(name, value);
  }
  const query = parameters.toString();
  return link(...place.path) + (query ? `?${query}` : "");
}

// The same page without some of its parameters, from its first row on.
export function without(place: Place, ...names: string[]): string {
  const parameters = new URLSearchParams(place.parameters);
  for (const name of [...names, "page"]) parameters.delete(name);
  const query = parameters.toString();
  return link(...place.path) + (query ? `?${query}` : "");
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return parse(hash);
}
