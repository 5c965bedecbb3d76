import { expect, test } from "vitest";

import { howMany, nextSort } from "../src/listing";
import { grouped, membersOf } from "../src/pages/groups";
import { link, parse, withParameters } from "../src/router";

test("a place is read from the address and written back", () => {
  const place = parse("#/workers?q=rack-7&page=2");
  expect(place.path).toEqual(["workers"]);
  expect(withParameters(place, { page: "1" }, { page: "1" })).toBe("#/workers?q=rack-7");
});

test("a hostile name stays one part of a path", () => {
  const name = "../<script>#/?&%";
  expect(parse(link("workers", name)).path).toEqual(["workers", name]);
});

test("a broken escape is not an error", () => expect(parse("#/workers/%zz").path).toEqual(["workers", "%zz"]));

test("numbers are sorted from the largest first, and again the other way", () => {
  expect(nextSort({ sort: "accepted", numeric: true }, { sort: "login", order: "asc" })).toEqual({
    sort: "accepted",
    order: "desc",
  });
  expect(nextSort({ sort: "accepted", numeric: true }, { sort: "accepted", order: "desc" }).order).toBe("asc");
});

test("how many are shown is told, and of how many if fewer were sought", () => {
  expect(howMany(1, undefined, "worker", "workers")).toBe("1 worker");
  expect(howMany(2_000, 2_000, "entry", "entries")).toBe("2,000 entries");
  expect(howMany(3, 2_000, "entry", "entries")).toBe("3 of 2,000 entries");
  expect(howMany(0, 1, "entry", "entries")).toBe("0 of 1 entry");
});

test("a group leads to its machines, a rack with whose it is", () => {
  const rack = parse(membersOf("rack", { name: "r1", account: "bit" }));
  expect(Object.fromEntries(rack.parameters)).toEqual({ account: "bit", rack: "r1" });
  const unknown = parse(membersOf("firmware", { name: "", account: null }));
  expect(unknown.parameters.has("firmware")).toBe(true);
  expect(unknown.parameters.get("firmware")).toBe("");
});

test("hostile firmware stays one value of an address", () => {
  const name = "a&by=site#<script>?=%";
  expect(parse(membersOf("firmware", { name, account: null })).parameters.get("firmware")).toBe(name);
});

test("who groups keeps which machines are meant, and neither order nor search", () => {
  const place = parse("#/workers?site=almaty&sort=difficulty&q=rig&page=3");
  expect(grouped(place, "rack")).toBe("#/workers?site=almaty&by=rack");
  expect(grouped(parse("#/workers?site=almaty&by=rack&sort=online"), "")).toBe("#/workers?site=almaty");
});
