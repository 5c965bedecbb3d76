"""What a process asks of its machine; pool/machine.py."""

import subprocess
import sys

PROGRAM = """
import ctypes
from pool.machine import LARGE_BYTES, keep_large_blocks_apart

if {apart}:
    assert keep_large_blocks_apart()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
library.free(library.malloc(8 * LARGE_BYTES))


class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]


library.mallinfo2.restype = Info
before = library.mallinfo2().hblks
library.malloc(4 * LARGE_BYTES)
print(library.mallinfo2().hblks - before)
"""


def mapped_after_a_larger_one_was_freed(*, apart: bool) -> int:
    """Of one block, those that are mapped by themselves."""
    command = [sys.executable, "-c", PROGRAM.format(apart=apart)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_a_large_block_lies_apart_also_after_a_larger_one_was_freed() -> None:
    assert mapped_after_a_larger_one_was_freed(apart=True) == 1


def test_left_alone_it_would_not() -> None:
    assert mapped_after_a_larger_one_was_freed(apart=False) == 0
