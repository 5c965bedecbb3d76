"""A template of a real node as a value, and every way in which one is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from native import sha256d
from pool.work.template import Template, TemplateError, parse_template
from tests.pool.work.templates import result, template


class TestParse:
    """BIP-0022, BIP-0023, BIP-0145."""

    def test_the_previous_hash_is_in_wire_order(self) -> None:
        assert template().prev_hash[::-1].hex() == result()["previousblockhash"]

    def test_bits_are_an_integer(self) -> None:
        assert template().nbits == 0x207FFFFF

    def test_times_and_height_are_the_nodes(self) -> None:
        assert (template().height, template().time, template().time_min) == (124, 1795231202, 1795231202)

    def test_ids_are_in_wire_order(self) -> None:
        first, wire = template().transactions[0], result()["transactions"][0]
        assert (first.txid[::-1].hex(), first.wtxid[::-1].hex()) == (wire["txid"], wire["hash"])

    def test_the_data_is_the_transaction_with_its_witness(self) -> None:
        assert all(sha256d(each.data) == each.wtxid for each in template().transactions)

    def test_fees_are_those_of_all_transactions(self) -> None:
        assert template().fees_sat == 588 + 312 + 936

    def test_a_negative_version_becomes_the_unsigned_one_of_the_header(self) -> None:
        assert template(version=-(2**31)).version == 0x80000000

    def test_the_rules_of_a_signet_are_known(self) -> None:
        assert template(rules=["csv", "!segwit", "!signet", "taproot"])

    def test_a_commitment_may_go_on_for_a_signets_solution(self) -> None:
        longer = result()["default_witness_commitment"] + "04ecc7daa2"
        assert template(default_witness_commitment=longer).witness_commitment.hex() == longer

    def test_the_limits_of_the_block_are_the_nodes(self) -> None:
        limited = template(weightlimit=3_900_000, sigoplimit=79_000)
        assert (limited.weight_max, limited.sigops_max) == (3_900_000, 79_000)

    def test_a_template_that_an_earlier_version_kept_has_the_limits_of_consensus(self) -> None:
        fields = msgspec.msgpack.decode(msgspec.msgpack.encode(template()))
        earlier = msgspec.msgpack.encode(fields[:10])
        assert msgspec.msgpack.decode(earlier, type=Template) == template()

    def test_an_aged_template_differs_in_its_time_only(self) -> None:
        aged = template().aged(30)
        assert (aged.time, aged.aged(-30)) == (template().time + 30, template())


class TestRefusal:
    @pytest.mark.parametrize(
        "field",
        [
            "version",
            "rules",
            "previousblockhash",
            "transactions",
            "coinbasevalue",
            "longpollid",
            "mintime",
            "curtime",
            "bits",
            "height",
            "default_witness_commitment",
            "weightlimit",
            "sigoplimit",
        ],
    )
    def test_a_missing_field_is_named(self, field: str) -> None:
        answer = result()
        del answer[field]
        with pytest.raises(TemplateError, match=f"getblocktemplate: .*{field}"):
            parse_template(msgspec.json.encode(answer))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("version", "536870912"),
            ("version", 2**32),
            ("rules", "!segwit"),
            ("previousblockhash", "00" * 31),
            ("previousblockhash", "00" * 32 + "\n"),
            ("previousblockhash", "0x" + "0" * 62),
            ("transactions", {}),
            ("coinbasevalue", -1),
            ("coinbasevalue", 1.5),
            ("coinbasevalue", True),
            ("longpollid", ""),
            ("mintime", None),
            ("curtime", 2**32),
            ("bits", "1d00fff"),
            ("bits", 0x1D00FFFF),
            ("height", 0),
            ("default_witness_commitment", "6"),
            ("default_witness_commitment", "6a 24"),
        ],
    )
    def test_a_field_of_the_wrong_kind_is_named(self, field: str, value: object) -> None:
        with pytest.raises(TemplateError, match=f"getblocktemplate: .*{field}"):
            template(**{field: value})

    @pytest.mark.parametrize("field", ["data", "txid", "hash", "fee", "sigops", "weight"])
    def test_a_field_that_a_transaction_lacks_is_named(self, field: str) -> None:
        answer = result()
        del answer["transactions"][1][field]
        with pytest.raises(TemplateError, match=rf"{field}.*transactions"):
            parse_template(msgspec.json.encode(answer))

    @pytest.mark.parametrize("answer", [b"", b"null", b"[]", b'{"version":', b"\xff"])
    def test_what_is_no_template_at_all_is_refused(self, answer: bytes) -> None:
        with pytest.raises(TemplateError, match="getblocktemplate"):
            parse_template(answer)

    def test_data_that_is_no_hex_is_named_with_its_place(self) -> None:
        answer = result()
        answer["transactions"][2]["data"] = "zz"
        with pytest.raises(TemplateError, match=r"transactions\[2\]\.data"):
            parse_template(msgspec.json.encode(answer))

    @pytest.mark.parametrize("bits", ["00000000", "1d80ffff", "ff123456"])
    def test_bits_that_stand_for_no_target_are_refused(self, bits: str) -> None:
        with pytest.raises(TemplateError, match="bits"):
            template(bits=bits)

    def test_a_mandatory_rule_that_we_do_not_know_is_named(self) -> None:
        with pytest.raises(TemplateError, match="!blake2b is mandatory"):
            template(rules=["csv", "!segwit", "!blake2b"])

    def test_a_time_before_the_earliest_is_refused(self) -> None:
        with pytest.raises(TemplateError, match="curtime is before mintime"):
            template(curtime=1, mintime=2)

    def test_fees_above_the_coinbases_value_are_refused(self) -> None:
        with pytest.raises(TemplateError, match="coinbasevalue is less"):
            template(coinbasevalue=1835)

    def test_a_commitment_to_other_transactions_is_refused(self) -> None:
        answer: dict[str, Any] = result()
        answer["transactions"].pop()
        with pytest.raises(TemplateError, match="default_witness_commitment is not the one of these transactions"):
            parse_template(msgspec.json.encode(answer))
