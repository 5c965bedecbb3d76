"""stratum.extensions: BIP-0310."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stratum.extensions import VersionRolling, encode_answer, read_wishes
from stratum.messages import Configure

OURS = 0x1FFFE000


class TestMask:
    def test_it_is_ours_and_the_miners(self) -> None:
        assert VersionRolling(0x00FFFFFF, 0).granted(OURS, 0x20000000) == 0x00FFE000

    def test_it_has_no_bit_that_the_template_sets(self) -> None:
        assert VersionRolling(0xFFFFFFFF, 0).granted(OURS, 0x30000000) == 0x0FFFE000

    def test_fewer_bits_than_the_miner_needs_are_none(self) -> None:
        assert VersionRolling(0x00006000, 3).granted(OURS, 0x20000000) == 0

    def test_as_many_as_it_needs_are_granted(self) -> None:
        assert VersionRolling(0x00006000, 2).granted(OURS, 0x20000000) == 0x6000


class TestWishes:
    def wishes(self, names: tuple[str, ...], **options: Any) -> Any:
        return read_wishes(Configure(names, {name.replace("__", "."): value for name, value in options.items()}))

    def test_a_mask_that_is_not_named_is_every_bit(self) -> None:
        assert self.wishes(("version-rolling",)).version_rolling == VersionRolling(0xFFFFFFFF, 0)

    @pytest.mark.parametrize("mask", [None, 5, "", "0x1fffe000", "1fffe0001", "-1", "1f_e", "zz", ["1fffe000"]])
    def test_a_mask_that_is_no_hex_is_not_understood(self, mask: object) -> None:
        request = Configure(("version-rolling",), {"version-rolling.mask": mask})
        assert read_wishes(request).version_rolling is None

    @pytest.mark.parametrize("bits", ["2", None, True, 2.5])
    def test_a_bit_count_that_is_no_integer_is_not_understood(self, bits: object) -> None:
        request = Configure(("version-rolling",), {"version-rolling.min-bit-count": bits})
        assert read_wishes(request).version_rolling is None

    def test_options_without_their_extension_ask_for_nothing(self) -> None:
        assert read_wishes(Configure((), {"version-rolling.mask": "ffffffff"})).version_rolling is None

    def test_a_minimum_difficulty_is_a_number(self) -> None:
        request = Configure(("minimum-difficulty",), {"minimum-difficulty.value": 2048})
        assert read_wishes(request).minimum_difficulty == 2048.0


class TestAnswer:
    def test_each_extension_is_answered_and_an_unknown_one_is_false(self) -> None:
        wishes = read_wishes(Configure(("version-rolling", "info", "subscribe-extranonce", "x-new")))
        assert json.loads(encode_answer(wishes, 0x0FFFE000, False)) == {
            "version-rolling": True,
            "version-rolling.mask": "0fffe000",
            "info": True,
            "subscribe-extranonce": True,
            "x-new": False,
        }

    def test_no_mask_is_no_version_rolling(self) -> None:
        assert json.loads(encode_answer(read_wishes(Configure(("version-rolling",))), 0, False)) == {
            "version-rolling": False
        }

    def test_nothing_asked_is_an_empty_answer(self) -> None:
        assert encode_answer(read_wishes(Configure(())), 0, False) == b"{}"
