"""Double SHA-256, the share check, the reading of submissions, the sums of shares and what becomes of them: the
compiled twins if they are built, else the references.

`COMPILED` says which. The reference takes 7 to 30 times as long (`scripts/bench_native.py`), so a pool should
not start on it unless told to. `SHA256_IMPLEMENTATION` is "sha-ni", "portable" or "hashlib".
"""

try:
    from native.compiled import (
        SHA256_IMPLEMENTATION,
        JobCheck,
        header,
        meets_target,
        merkle_root,
        search,
        sha256d,
    )
    from native.flow import Flow
    from native.lines import read_submit
    from native.parts import add_counts, pack_parts
    from native.runs import share_runs
    from native.seen import SeenHashes
    from native.sums import SecondSums
    from native.totals import Totals

    COMPILED = True
except ModuleNotFoundError as error:
    # Only "not built" may choose the slow twin: a build that does not load has to be seen.
    built = ("compiled", "flow", "lines", "parts", "runs", "seen", "sums", "totals")
    if error.name not in {f"native.{part}" for part in built}:
        raise
    from native.flow_reference import Flow
    from native.lines_reference import read_submit
    from native.parts_reference import add_counts, pack_parts
    from native.reference import (
        SHA256_IMPLEMENTATION,
        JobCheck,
        header,
        meets_target,
        merkle_root,
        search,
        sha256d,
    )
    from native.runs_reference import share_runs
    from native.seen_reference import SeenHashes
    from native.sums_reference import SecondSums
    from native.totals_reference import Totals

    COMPILED = False

from native.verdict import Verdict

__all__ = [
    "COMPILED",
    "SHA256_IMPLEMENTATION",
    "Flow",
    "JobCheck",
    "SecondSums",
    "SeenHashes",
    "Totals",
    "Verdict",
    "add_counts",
    "header",
    "meets_target",
    "merkle_root",
    "pack_parts",
    "read_submit",
    "search",
    "sha256d",
    "share_runs",
]
