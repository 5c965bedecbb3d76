// Who is paid by what is mined right now, read out of the job that the miners have.
import { age, btc, count, percent, scaled } from "../format";
import { useAnswer, useNow } from "../live";
import { Facts, Figure, Panel, Problem, TableCard } from "../parts";
import { link } from "../router";

interface Output {
  value_sat: number;
  part: number;
  address: string | null;
  script_hex: string;
  to: "pool" | "commitment" | "other";
}

interface Job {
  region: string;
  job_id: string;
  height: number;
  prev_hash_hex: string;
  made_ms: number;
  template_ms: number;
  network_difficulty: number;
  transactions: number;
  subsidy_sat: number;
  fees_sat: number;
  tag: string;
  coinbase_bytes: number;
  coinb1_hex: string;
  coinb2_hex: string;
  outputs: Output[];
}

interface JobAnswer {
  jobs: Job[];
  unavailable: Record<string, string>;
}

const WORDS = {
  pool: "The pool's own address: what it pays the accounts comes from here",
  commitment: "Nobody: it commits to the witnesses of the block (BIP-0141)",
  other: "Neither the pool's address nor a commitment",
};

export function JobPage() {
  const { value, problem } = useAnswer<JobAnswer>("/api/v1/job");
  const jobs = value?.jobs ?? [];
  return (
    <>
      <h2 class="title">Who is paid by the current job</h2>
      <Problem problem={problem} unavailable={value?.unavailable ?? {}} />
      {value && !jobs.length && !Object.keys(value.unavailable).length && (
        <p class="notice">
          There is no job: no node has given a template yet. <a href={link("health")}>Health</a> says why.
        </p>
      )}
      {jobs.map((job) => (
        <Paid key={job.region} job={job} where={jobs.length > 1 ? `, ${job.region}` : ""} />
      ))}
    </>
  );
}

// where: behind titles, if there is more than one region.
function Paid({ job, where }: { job: Job; where: string }) {
  const now = useNow();
  return (
    <>
      <p class="lead">
        {where && <b>In region {job.region}: </b>}
        If a block is found on this job, at height {count(job.height)}, its coinbase pays{" "}
        <b>{btc(job.subsidy_sat + job.fees_sat)} BTC</b>: {btc(job.subsidy_sat)} BTC of new coins and{" "}
        {btc(job.fees_sat)} BTC of fees of {count(job.transactions)} transactions. {sentence(job.outputs)}
      </p>
      <TableCard<Output>
        title={`Outputs of its coinbase${where}`}
        rows={job.outputs}
        empty="None."
        columns={[
          { title: "Pays", show: (row) => <span class="mono">{row.address ?? "no address"}</span> },
          { title: "BTC", numeric: true, show: (row) => btc(row.value_sat) },
          { title: "Of the reward", numeric: true, show: (row) => percent(row.part) },
          { title: "Who is that", className: "wrapping", show: (row) => WORDS[row.to] },
        ]}
      />
      <div class="panels spaced">
        <Panel title={`Job${where}`}>
          <Figure value={job.job_id} />
          <Facts
            facts={[
              ["Made", age(job.made_ms, now)],
              ["Template", age(job.template_ms, now)],
              ["Network difficulty", scaled(job.network_difficulty, 4)],
              ["Tag in the coinbase", job.tag || "none"],
              ["Size of the coinbase", `${count(job.coinbase_bytes)} bytes`],
            ]}
          />
        </Panel>
        <Panel title={`For whoever checks it${where}`} className="rest">
          <p>
            Miners get the coinbase in two halves (<code>mining.notify</code>). Decode them, with 12 bytes of any
            extranonce in between, and compare.
          </p>
          <Facts
            className="long"
            facts={[
              ["Built on", <span class="mono">{job.prev_hash_hex}</span>],
              ["coinb1", <span class="mono">{job.coinb1_hex}</span>],
              ["coinb2", <span class="mono">{job.coinb2_hex}</span>],
            ]}
          />
        </Panel>
      </div>
    </>
  );
}

function sentence(outputs: Output[]): string {
  const paid = outputs.filter((output) => output.value_sat > 0);
  if (paid.every((output) => output.to === "pool")) {
    return "All of it goes to the pool, which credits the accounts by their shares.";
  }
  const strangers = paid.filter((output) => output.to === "other").reduce((sum, output) => sum + output.value_sat, 0);
  return `${btc(strangers)} BTC of it go to addresses that are not the pool's.`;
}
