"""Which twin `native` is. Each case needs a fresh interpreter: the choice is made once, at import."""

import importlib
import subprocess
import sys

import native
from native import Verdict, compiled, reference

HIDE_BUILD = "import sys; sys.modules['native.compiled'] = None; "
BREAK_BUILD = """
import sys
class Broken:
    def find_spec(self, name, path, target=None):
        if name == "native.compiled":
            raise ImportError("undefined symbol")
sys.meta_path.insert(0, Broken())
"""
SAY = "import native; print(native.COMPILED, native.SHA256_IMPLEMENTATION, native.JobCheck.__module__)"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_both_twins_have_every_name_of_the_package() -> None:
    names_of = ("flow", "lines", "parts", "runs", "seen", "sums", "totals")
    twins = (
        [compiled, *(importlib.import_module(f"native.{name}") for name in names_of)],
        [reference, *(importlib.import_module(f"native.{name}_reference") for name in names_of)],
    )
    names = set(native.__all__) - {"COMPILED", "Verdict"}
    assert all(any(hasattr(module, name) for module in modules) for name in names for modules in twins)


def test_without_a_build_the_package_is_the_reference_and_says_so() -> None:
    assert run(HIDE_BUILD + SAY).stdout == "False hashlib native.reference\n"


def test_a_build_that_does_not_load_is_an_error_and_not_a_slow_pool() -> None:
    assert "ImportError: undefined symbol" in run(BREAK_BUILD + SAY).stderr


def test_the_verdicts_are_numbered_from_low_to_block() -> None:
    assert [Verdict(value) for value in range(3)] == [Verdict.LOW, Verdict.SHARE, Verdict.BLOCK]
