// Where orders are given: buttons, a dialog that says what will happen, and what came of it beside the buttons.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { ask, change, ORDERED, Refused } from "../api";
import { visible } from "../format";
import { Facts } from "../parts";
import { mayOrder, useSession } from "../session";
import { suggested, Suggestions } from "./known";
import { type Field, newKey, psbtOf, type Spec, type Values } from "./spec";

const PATIENCE_MS = 120_000; // the whole ledger may have to be read first

const LOST =
  "No answer came. It may have been done all the same: look here or at the log before you order it again. ";

interface Outcome {
  text: string;
  isRefused: boolean;
  isFinal?: boolean;
}

export interface Office {
  press: (spec: Spec) => void;
  panel: ComponentChildren;
}

// What is pressed anywhere on a part of a page is confirmed and answered in its panel, which stays when the button that
// was pressed goes away because it was done.
export function useOffice(): Office {
  const [spec, setSpec] = useState<Spec | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const press = (wanted: Spec) => {
    setOutcome(null);
    setSpec(wanted);
  };
  return {
    press,
    panel: (
      <>
        {spec && <Confirm spec={spec} said={setOutcome} close={() => setSpec(null)} />}
        {spec === null && outcome && <Said outcome={outcome} />}
      </>
    ),
  };
}

export function Orders({ orders, right }: { orders: Spec[]; right: "payouts" | "moves" }) {
  const { session } = useSession();
  const office = useOffice();
  if (!mayOrder(session, right)) return null;
  return (
    <div class="orders">
      {orders.length > 0 && (
        <div class="row" role="group" aria-label="Orders">
          {orders.map((each) => (
            <Press key={each.title} spec={each} office={office} />
          ))}
        </div>
      )}
      {office.panel}
    </div>
  );
}

export function Press({ spec, office, about }: { spec: Spec; office: Office; about?: string }) {
  const label = about === undefined ? undefined : `${spec.title}: ${about}`;
  return (
    <button type="button" class="button" aria-haspopup="dialog" aria-label={label} onClick={() => office.press(spec)}>
      {spec.title}
    </button>
  );
}

// Once something was taken away, what was pressed is gone, or in its place is what would do the same to another: who goes
// by keyboard stands here then.
function Said({ outcome }: { outcome: Outcome }) {
  const done = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (outcome.isFinal) done.current?.focus();
  }, []);
  return outcome.isRefused ? (
    <p class="notice lines" role="alert">
      {harmless(outcome.text)}
    </p>
  ) : (
    <p ref={done} class="said" role="status" tabIndex={-1}>
      {harmless(outcome.text)}
    </p>
  );
}

interface ConfirmProps {
  spec: Spec;
  said: (outcome: Outcome) => void;
  close: () => void;
}

function Confirm({ spec, said, close }: ConfirmProps) {
  const { session } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState<Values>(() => begin(spec.fields ?? []));
  const [refused, setRefused] = useState<string | null>(null);
  const [lines, setLines] = useState<string[] | null>(null);
  const [waits, setWaits] = useState(false);
  const [key] = useState(newKey);
  const seen = useLook(spec);
  const leave = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // With nothing to fill in, Enter pressed twice would order it before it was read.
    if (!spec.fields?.length) leave.current?.focus();
  }, []);
  const send = (body: unknown, done: (answer: never) => void) => {
    setWaits(true);
    setRefused(null);
    change<never>(spec.method ?? "POST", spec.path, session?.csrf ?? null, body, PATIENCE_MS)
      .then(done, (error: unknown) => {
        const text = error instanceof Refused ? error.message : LOST + String(error);
        setRefused(text);
        said({ text: `${spec.title}: ${text}`, isRefused: true });
      })
      .finally(() => setWaits(false));
  };
  const order = (event: Event) => {
    event.preventDefault();
    send(spec.body(values, key), (answer: { done: string }) => {
      dispatchEvent(new Event(ORDERED));
      spec.then?.(answer as never);
      said({ text: `Done: ${spec.done ?? answer.done}.`, isRefused: false, isFinal: spec.isFinal ?? false });
      dialog.current?.close();
    });
  };
  const trial = spec.trial;
  return (
    <dialog ref={dialog} class="order" aria-labelledby="order-title" onClose={close}>
      <form class="form" method="dialog" onSubmit={order}>
        <h2 id="order-title">{spec.title}</h2>
        {spec.facts && <Facts facts={spec.facts.map(([name, value]) => [name, visible(value)])} />}
        <p>{visible(spec.says)}</p>
        {seen && <p class="seen">{visible(seen.words)}</p>}
        {seen && seen.lines.length > 0 && <Lines title="One by one" lines={seen.lines} />}
        {(spec.fields ?? []).map((field) => (
          <Input
            key={field.name}
            field={field}
            value={values[field.name] ?? ""}
            set={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
          />
        ))}
        <Suggestions of={(spec.fields ?? []).map((field) => field.known)} />
        {lines && <Lines title="Dry run" lines={lines} />}
        {refused && (
          <p class="notice lines" role="alert">
            {harmless(refused)}
          </p>
        )}
        <div class="row">
          <button type="submit" class={`button main${spec.isFinal ? " final" : ""}`} disabled={waits}>
            {spec.title}
          </button>
          {trial && (
            <button
              type="button"
              class="button"
              disabled={waits}
              onClick={() => send(trial.body(values), (answer) => setLines(trial.lines(answer)))}
            >
              {trial.title}
            </button>
          )}
          <button ref={leave} type="button" class="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
        </div>
      </form>
    </dialog>
  );
}

function Lines({ title, lines }: { title: string; lines: string[] }) {
  return (
    <div class="lines frame" tabIndex={0} role="region" aria-label={title}>
      {lines.map(visible).join("\n")}
    </div>
  );
}

const TYPED: Record<string, { maxLength?: number; inputMode?: "numeric"; pattern?: string; title?: string }> = {
  text: { maxLength: 300 },
  whole: { inputMode: "numeric", pattern: "[0-9]+", title: "A whole number" },
  signed: { pattern: "-?[0-9]+", title: "A whole number, negative perhaps" },
};

function Input({ field, value, set }: { field: Field; value: string; set: (value: string) => void }) {
  const required = !field.optional;
  if (field.kind === "check") {
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={value === "true"}
          onChange={(event) => set(event.currentTarget.checked ? "true" : "")}
        />{" "}
        {field.label}
      </label>
    );
  }
  return (
    <label>
      {field.label}
      {field.kind === "choice" ? (
        <select value={value} onChange={(event) => set(event.currentTarget.value)}>
          {(field.options ?? []).map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      ) : field.kind === "psbt" ? (
        <input
          type="file"
          required={required}
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            set("");
            file?.arrayBuffer().then((buffer) => set(psbtOf(new Uint8Array(buffer))));
          }}
        />
      ) : (
        <input
          value={value}
          required={required}
          autocomplete="off"
          spellcheck={false}
          {...suggested(field.known)}
          {...TYPED[field.kind ?? "text"]}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
    </label>
  );
}

interface Seen {
  words: string;
  lines: string[];
}

const only = (words: string): Seen => ({ words, lines: [] });

// What is asked when the dialog opens, in words; why it cannot be said, if so.
function useLook(spec: Spec): Seen | null {
  const look = spec.look;
  const [seen, setSeen] = useState<Seen | null>(look ? only("Looking what it would do …") : null);
  useEffect(() => {
    if (!look) return undefined;
    let gone = false;
    ask<never>(look.path).then(
      (answer) => gone || setSeen({ words: look.words(answer), lines: look.lines?.(answer) ?? [] }),
      (error: unknown) => gone || setSeen(only(`What it would do cannot be said: ${said(error)}`)),
    );
    return () => {
      gone = true;
    };
  }, [look?.path]);
  return seen;
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// Line by line: names come from miners.
function harmless(text: string): string {
  return text.split("\n").map(visible).join("\n");
}

function begin(fields: Field[]): Values {
  return Object.fromEntries(fields.map((field) => [field.name, field.initial ?? field.options?.[0]?.[0] ?? ""]));
}

// A file of the browser's own, as if it had been linked to.
export function giveFile(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(address);
}
