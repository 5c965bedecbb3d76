import { describe, expect, test } from "vitest";

import {
  btc,
  bytes,
  distance,
  error,
  hashrate,
  percent,
  psat,
  readable,
  schemeName,
  title,
  visible,
} from "../src/format";

describe("numbers", () => {
  test("a percentage is 100 only of all", () => {
    expect([319 / 320, 0.99996, 1, 0.994].map(percent)).toEqual(
      ["99.7", ">99.9", "100", "99"].map((number) => `${number}\u202F%`),
    );
  });

  test("a hashrate has three significant digits and a prefix", () => {
    expect(hashrate(106_123_000_000_000)).toBe("106 TH/s");
    expect(hashrate(0)).toBe("0 H/s");
    expect(hashrate(null)).toBe("–");
  });
  test("rounding carries into the next prefix", () => expect(hashrate(999_900_000_000)).toBe("1.00 TH/s"));
  test("an error without a share is not shown", () => {
    expect(error({ hps: 0, error: null })).toBe("");
    expect(error({ hps: 1, error: 2 })).toBe("±100\u202F%");
  });
  test("a small part is not shown as none", () => expect(percent(0.00001)).toBe("<0.01\u202F%"));
  test("a disk is in GiB", () => expect(bytes(5 * 2 ** 30)).toBe("5.0 GiB"));
});

describe("money", () => {
  test("satoshis become BTC without a float", () => {
    expect(btc(2_100_000_000_000_000)).toBe("21,000,000.00000000");
    expect(btc(-1)).toBe("−0.00000001");
  });
  test("picosatoshi beyond 2^53 stay exact", () => {
    expect(psat("50912004551201345999")).toBe("50,912,004.551 sat");
  });
});

describe("names", () => {
  test("what turns the direction of writing or breaks a line shows", () => {
    expect(visible("a\u202egnp.exe\r\n\u0000")).toBe("a\uFFFDgnp.exe\uFFFD\uFFFD\uFFFD");
  });
  test("a word of the API begins a row", () => expect(title("low_difficulty")).toBe("Low difficulty"));
});

describe("a scheme", () => {
  test("is written as people write it", () => {
    expect(["pplns", "fpps", "pps_plus"].map(schemeName)).toEqual(["PPLNS", "FPPS", "PPS+"]);
  });
});

describe("times", () => {
  test("a deadline says how long until then, and since when it is over, in one piece", () => {
    expect(distance(7_200_000, 0)).toBe("in\u00A02\u00A0h");
    expect(distance(0, 60_000)).toBe("1\u00A0min\u00A0ago");
  });
  test("those of reports are written as all others of the page", () => {
    expect(readable("2021-06-19T01:00:00Z to 2021-06-19T01:00:07.250Z")).toBe(
      "2021-06-19 01:00 UTC to 2021-06-19 01:00:07 UTC",
    );
    expect(readable("T01 of 2021")).toBe("T01 of 2021");
  });
});
