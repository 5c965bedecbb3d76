"""native.read_submit: the ordinary submission, and nothing else; both twins say the same."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from native import lines, lines_reference

SUBMIT = (
    b'{"params": ["alice.rig1", "19e0a1b2001", "0000000000000a0B", "6553f100", "2a"], '
    b'"id": 7, "method": "mining.submit"}\n'
)
READ = (b"7", "alice.rig1", "19e0a1b2001", bytes.fromhex("0000000000000a0b"), 0x6553F100, 0x2A, 0)

WITH_BITS = b'{"id":"a","method":"mining.submit","params":["a","b","0000000000000001","1","2","1fffe000"]}'


@pytest.fixture(params=[lines, lines_reference], ids=["compiled", "reference"])
def reader(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


class TestOrdinary:
    def test_a_submission_is_read(self, reader: ModuleType) -> None:
        assert reader.read_submit(SUBMIT) == READ

    def test_with_version_bits_too(self, reader: ModuleType) -> None:
        assert reader.read_submit(WITH_BITS) == (b'"a"', "a", "b", bytes(7) + b"\x01", 1, 2, 0x1FFFE000)

    @pytest.mark.parametrize(
        "line",
        [
            SUBMIT[:-1],
            SUBMIT[:-1] + b"\r\n",
            b"  " + SUBMIT,
            SUBMIT.replace(b" ", b""),
            SUBMIT.replace(b" ", b"\t "),
        ],
    )
    def test_space_between_its_parts_means_nothing(self, reader: ModuleType, line: bytes) -> None:
        assert reader.read_submit(line) == READ

    @pytest.mark.parametrize("text", [b"0", b"123456789012345678", b'""', b'"a b]}"', b'"7"'])
    def test_its_id_comes_back_as_it_was(self, reader: ModuleType, text: bytes) -> None:
        assert reader.read_submit(SUBMIT.replace(b"7", text))[0] == text

    def test_up_to_512_bytes(self, reader: ModuleType) -> None:
        at_most = SUBMIT.replace(b"rig1", b"r" * (512 - len(SUBMIT[:-1]) + 4))
        assert reader.read_submit(at_most)[1].startswith("alice.rrr")
        assert reader.read_submit(at_most.replace(b"alice", b"alice2")) is None


class TestEverythingElse:
    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"\n",
            b"{}",
            b"\x16\x03\x01",
            SUBMIT + b"{",
            SUBMIT + SUBMIT,
            SUBMIT + b"\n",
            SUBMIT.replace(b", ", b",\n"),
            SUBMIT.replace(b"mining.submit", b"mining.submi"),
            SUBMIT.replace(b'"id": 7, ', b""),
            SUBMIT.replace(b'"id": 7, ', b'"id": 7, "id": 7, '),
            SUBMIT.replace(b'"id": 7, ', b'"id": 7, "x": 7, '),
            SUBMIT.replace(b", ", b",, "),
            SUBMIT.replace(b'"2a"]', b'"2a",]'),
            SUBMIT.replace(b"alice", b"al\\u0069ce"),
            SUBMIT.replace(b"alice", "\u00e4lice".encode()),
            SUBMIT.replace(b"alice", b"al\x00ce"),
            SUBMIT.replace(b"alice", b"al\x7fce"),
            SUBMIT.replace(b"alice", b"al{ce"),
            SUBMIT.replace(b"alice", b"al[ce"),
            SUBMIT.replace(b'"alice.rig1"', b"null"),
            SUBMIT.replace(b'"alice.rig1", ', b""),
            SUBMIT.replace(b'"2a"', b'"2a", "0", "0"'),
        ],
    )
    def test_is_left_to_the_general_reader(self, reader: ModuleType, line: bytes) -> None:
        assert reader.read_submit(line) is None

    @pytest.mark.parametrize(
        "text", [b"null", b"true", b"-1", b"-0", b"07", b"7.0", b"7e0", b"1234567890123456789", b"[7]", b"{}", b"NaN"]
    )
    def test_so_is_an_id_of_another_kind(self, reader: ModuleType, text: bytes) -> None:
        assert reader.read_submit(SUBMIT.replace(b"7", text)) is None

    @pytest.mark.parametrize("field", [b"6553f100", b"2a"])
    @pytest.mark.parametrize("text", [b"", b"123456789", b"0x1", b"+1", b"-1", b" 1", b"1 ", b"1_0", b"g"])
    def test_so_is_what_pythons_parsers_would_take_for_a_number(
        self, reader: ModuleType, field: bytes, text: bytes
    ) -> None:
        assert reader.read_submit(SUBMIT.replace(b'"%b"' % field, b'"%b"' % text)) is None

    @pytest.mark.parametrize("text", [b"", b"00", b"0" * 18, b"0" * 15 + b" ", b"0 " * 8, b"0x" + b"0" * 14])
    def test_so_is_what_would_pass_for_an_extranonce2(self, reader: ModuleType, text: bytes) -> None:
        assert reader.read_submit(SUBMIT.replace(b"0000000000000a0B", text)) is None


class TestTwins:
    @given(st.binary(max_size=600))
    def test_on_any_bytes(self, data: bytes) -> None:
        assert lines.read_submit(data) == lines_reference.read_submit(data)

    @given(
        st.sampled_from([SUBMIT, WITH_BITS]),
        st.lists(st.tuples(st.integers(0, 130), st.sampled_from(range(256)) | st.sampled_from(b'"{}[],: 0a\\\n'))),
    )
    @example(SUBMIT, [])
    def test_on_submissions_with_some_bytes_changed(self, line: bytes, changes: list[tuple[int, int]]) -> None:
        changed = bytearray(line)
        for place, byte in changes[:3]:
            changed[place % len(changed)] = byte
        assert lines.read_submit(bytes(changed)) == lines_reference.read_submit(bytes(changed))

    @given(
        st.permutations(['"id":7', '"method":"mining.submit"', '"params":["a","b","0000000000000001","1","2"]']),
        st.lists(st.sampled_from(["", " ", "\t", "\r", "\n", ",", '"id":7,', "null", "\\"]), min_size=5, max_size=5),
    )
    def test_on_members_in_any_order(self, members: list[str], between: list[str]) -> None:
        a, b, c, d, e = between
        line = f"{a}{{{b}{members[0]}{c},{members[1]}{d},{members[2]}{e}}}".encode()
        assert lines.read_submit(line) == lines_reference.read_submit(line)
