// Of what a report is, and of which time: kept in its address, so that it can be sent to others.
import type { Page } from "../api";
import { type Assignment, type Contract, type Fact, said, type Site, spanOf } from "../fleet";
import { visible } from "../format";
import { useAnswer } from "../live";
import { type Place, withParameters } from "../router";

// The time that a report has if nobody says another.
const OWN_TIME: Record<string, string> = {
  commissioning: "Last day",
  power: "Last day",
  downtime: "Last 30 days",
  sla: "Last 30 days",
};
const TIMES: [choice: string, text: string][] = [
  ["1", "Last day, as of now"],
  ["7", "Last 7 days"],
  ["30", "Last 30 days, as of now"],
  ["month", "This month"],
  ["last-month", "Last month"],
];

interface Subject {
  label: string;
  parameter: string;
  group: string;
  kind: string;
  all: string; // empty: it is always of one
  names: (facts: Fact[]) => string[];
}

const FLEET: Subject = {
  label: "Fleet",
  parameter: "fleet",
  group: "assignments",
  kind: "assignment",
  all: "All fleets",
  names: (facts) => said<Assignment>(facts, "assignment").map((each) => each.fleet),
};
const SUBJECTS: Record<string, Subject> = {
  commissioning: FLEET,
  downtime: FLEET,
  weak: FLEET,
  power: {
    label: "Site",
    parameter: "site",
    group: "sites",
    kind: "site",
    all: "All sites",
    names: (facts) => said<Site>(facts, "site").map((each) => each.name),
  },
  sla: {
    label: "Contract",
    parameter: "contract",
    group: "contracts",
    kind: "contract",
    all: "",
    names: (facts) => said<Contract>(facts, "contract").map((each) => each.name),
  },
};

export function Choices({ kind, place }: { kind: string; place: Place }) {
  const subject = SUBJECTS[kind];
  const own = OWN_TIME[kind];
  if (!subject && !own) return null;
  return (
    <p class="choices">
      {subject && <Of subject={subject} place={place} />}
      {own && <Time own={own} place={place} />}
    </p>
  );
}

function go(place: Place, change: Record<string, string>) {
  location.replace(withParameters(place, change, {}));
}

function Of({ subject, place }: { subject: Subject; place: Place }) {
  const { value } = useAnswer<Page<Fact>>(`/api/v1/${subject.group}?kind=${subject.kind}&per_page=250`);
  const chosen = place.parameters.get(subject.parameter) ?? "";
  const names = [...new Set([...subject.names(value?.rows ?? []), chosen])].filter(Boolean).sort();
  return (
    <label>
      {subject.label}{" "}
      <select value={chosen} onChange={(event) => go(place, { [subject.parameter]: event.currentTarget.value })}>
        {subject.all && <option value="">{subject.all}</option>}
        {names.map((name) => (
          <option key={name} value={name}>
            {visible(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Time({ own, place }: { own: string; place: Place }) {
  const isChosen = place.parameters.has("from") || place.parameters.has("to");
  return (
    <label>
      Time{" "}
      <select
        value={isChosen ? "chosen" : ""}
        onChange={(event) => go(place, spanOf(event.currentTarget.value, Date.now()))}
      >
        {isChosen && <option value="chosen">As told below</option>}
        <option value="">{own}</option>
        {TIMES.map(([choice, text]) => (
          <option key={choice} value={choice}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
