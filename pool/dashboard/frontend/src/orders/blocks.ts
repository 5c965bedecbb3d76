// What an operator orders about blocks that a person has to look at.
import type { Block } from "../api";
import { btc, count, shortHash } from "../format";
import { REASON, type Spec } from "./spec";

export interface WaitingBlock {
  hash: string;
  why: "held" | "stray";
  since_ms: number;
  reason: string;
}

export function holdOrder(block: Block): Spec {
  const reward = block.reward_sat === null ? "what it pays" : `the ${btc(block.reward_sat)} BTC that it pays`;
  return {
    title: "Hold this block",
    says: `Of block ${count(block.height)}, ${reward} do not become available until somebody lets it go.`,
    path: `/api/v1/blocks/${block.hash_hex}/hold`,
    fields: [REASON],
    body: ({ reason }) => ({ reason }),
  };
}

export function mayBeHeld(block: Block, waiting: WaitingBlock[]): boolean {
  return ["candidate", "immature"].includes(block.state) && !waiting.some((each) => each.hash === block.hash_hex);
}

export function waitingOrder(block: WaitingBlock): Spec {
  const isHeld = block.why === "held";
  return {
    title: isHeld ? "Let it go" : "Accept it",
    says: isHeld
      ? `Block ${shortHash(block.hash)} is held: ${block.reason}. What it pays becomes available as always.`
      : `Block ${shortHash(block.hash)} ${block.reason} and is not in the books. This ends the alarm: somebody knows ` +
        "why. Payouts are let go on by themselves only when you order it.",
    path: `/api/v1/blocks/${block.hash}/${isHeld ? "release" : "accept"}`,
    fields: [REASON],
    body: ({ reason }) => ({ reason }),
  };
}
