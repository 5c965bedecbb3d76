"""Double SHA-256 and the share check: the compiled twin if it is built, else the reference.

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

    COMPILED = True
except ModuleNotFoundError as error:
    # Only "not built" may choose the slow twin: a build that does not load has to be seen.
    if error.name != "native.compiled":
        raise
    from native.reference import (
        SHA256_IMPLEMENTATION,
        JobCheck,
        header,
        meets_target,
        merkle_root,
        search,
        sha256d,
    )

    COMPILED = False

from native.verdict import Verdict

__all__ = [
    "COMPILED",
    "SHA256_IMPLEMENTATION",
    "JobCheck",
    "Verdict",
    "header",
    "meets_target",
    "merkle_root",
    "search",
    "sha256d",
]
