// An order as the page offers it: what its button is called, what will happen, in words, and what is sent.
import type { Known } from "./known";

export type Values = Record<string, string>;

export interface Field {
  name: string;
  label: string;
  // text unless it says otherwise; psbt: a file, whose value is its PSBT in base64; check: "true" or "".
  kind?: "text" | "whole" | "signed" | "check" | "choice" | "psbt";
  options?: [value: string, text: string][];
  initial?: string;
  known?: Known; // names that are suggested
  optional?: boolean;
}

export interface Spec {
  title: string; // of the button, and of the dialog that it opens
  says: string;
  // What it is about, before what will happen.
  facts?: [name: string, value: string][];
  // It takes away what nobody can give back; its button is in the colour of what is down.
  isFinal?: boolean;
  method?: "POST" | "DELETE";
  path: string;
  fields?: Field[];
  body: (values: Values, key: string) => unknown;
  // Asked when the dialog opens, and shown below what it says: how many, how much, until when; and each of them.
  look?: { path: string; words: (answer: never) => string; lines?: (answer: never) => string[] };
  // A second button, which changes nothing.
  trial?: { title: string; body: (values: Values) => unknown; lines: (answer: never) => string[] };
  // What was done, where the answer does not say it.
  done?: string;
  // With the answer, beside showing what was done.
  then?: (answer: never) => void;
}

export const REASON: Field = { name: "reason", label: "Why; it is kept" };

export const RATE: Field = {
  name: "rate",
  label: "Fee rate in sat/vB; empty: as the node estimates",
  kind: "whole",
  optional: true,
};

export function number(text: string | undefined): number | null {
  return text === undefined || text.trim() === "" ? null : Number(text);
}

// What a signer gives back, as base64: signers write either that or the bytes themselves (BIP-0174).
export function psbtOf(bytes: Uint8Array): string {
  const isBinary = bytes.length > 4 && MAGIC.every((byte, place) => bytes[place] === byte);
  if (!isBinary) return new TextDecoder().decode(bytes).trim();
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

const MAGIC = [0x70, 0x73, 0x62, 0x74, 0xff];

// One order, however often it has to be sent until its answer comes. Not crypto.randomUUID: that wants TLS.
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
