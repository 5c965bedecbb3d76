// The work roles, one in each region.
import type { Node, WorkRole } from "./api";

// Of several regions the one whose work is the worst, where there is room for one only; as the pool's own programs choose.
export function worstWork(work: Record<string, WorkRole> = {}): { region: string; role: WorkRole } | undefined {
  return Object.entries(work)
    .map(([region, role]) => ({ region, role }))
    .reduce<{ region: string; role: WorkRole } | undefined>(
      (worst, each) => (worst && lack(worst.role) >= lack(each.role) ? worst : each),
      undefined,
    );
}

function lack(role: WorkRole): number {
  if (role.node_reason !== null) return Infinity;
  return role.job ? -role.job.template_ms : 0;
}

export type PlacedNode = Node & { region: string };

export function nodesOf(work: Record<string, WorkRole> = {}): PlacedNode[] {
  return Object.entries(work).flatMap(([region, role]) => role.nodes.map((node) => ({ ...node, region })));
}

export function hasRegions(work: Record<string, WorkRole> = {}): boolean {
  return Object.keys(work).length > 1;
}
