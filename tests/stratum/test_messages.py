"""stratum.messages."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from stratum import messages
from stratum.errors import MalformedRequest, StaleShare
from tests.stratum.scene import make_job

ALIASES_OF_NUMBERS = [
    "",
    "+1",
    "-1",
    " 1",
    "1 ",
    "1\n",
    "0x1",
    "0X10",
    "1_0",
    "\uff11",
    "\u0661",
    "g",
    "1.0",
    "000000001",
    "1\x00",
    "\u00e9",
]


class TestRequest:
    @pytest.mark.parametrize(
        "line",
        [
            b'{"id":1,"method":"mining.ping","params":[]}',
            b'{ "params" : [ ] , "method" : "mining.ping" , "id" : 1 }\r',
            b'{"method":"mining.ping","extra":{"a":[1]},"id":1}',
        ],
    )
    def test_order_and_space_do_not_matter(self, line: bytes) -> None:
        request = messages.decode_request(line)
        assert (request.method, bytes(request.request_id)) == ("mining.ping", b"1")

    @pytest.mark.parametrize(
        "text", [b"0", b"4", b"-1", b"18446744073709551616", b'"txlist5"', b'"\\u00e9 \\""', b"1.50"]
    )
    def test_an_id_comes_back_byte_for_byte(self, text: bytes) -> None:
        request = messages.decode_request(b'{"method":"x","id": ' + text + b" }")
        assert messages.decode_id(request.request_id) == text

    @pytest.mark.parametrize("line", [b'{"method":"x"}', b'{"method":"x","id":null}'])
    def test_no_id_or_null_is_a_notification(self, line: bytes) -> None:
        assert messages.decode_id(messages.decode_request(line).request_id) is None

    # The last is what the fuzzer found: sent back as it came, it would be no JSON.
    @pytest.mark.parametrize("text", [b"true", b"false", b"[1]", b'{"a":1}', b'"mini\x80ng"'])
    def test_another_id_is_malformed(self, text: bytes) -> None:
        with pytest.raises(messages.MalformedMessage):
            messages.decode_id(Raw(text))

    @pytest.mark.parametrize(
        "line",
        [
            b"{",
            b"{}x",
            b'{"id":1,}',
            b'{"id":01,"method":"x"}',
            b'{"id":NaN,"method":"x"}',
            b'{"method":5}',
            b'{"method":["mining.submit"]}',
            b'{"method":"\xff"}',
            b'{"method":"\\ud800"}',
            b'{"method":"a\x00b"}',
            b'{"id":' + b"[" * 4000,
            b'{"id":tru}',
        ],
    )
    def test_bad_json_is_malformed_and_nothing_worse(self, line: bytes) -> None:
        with pytest.raises(messages.MalformedMessage):
            messages.decode_request(line)

    @given(st.binary(max_size=200))
    def test_no_bytes_raise_anything_else(self, line: bytes) -> None:
        try:
            request = messages.decode_request(b"{" + line)
            messages.decode_id(request.request_id)
        except messages.MalformedMessage:
            pass


class TestParams:
    def test_a_submission_has_five_strings(self) -> None:
        submission = messages.decode_submission(Raw(b'["a","1","00112233AAbbCCdd","01","2"]'))
        extranonce2 = bytes.fromhex("00112233aabbccdd")
        assert submission == messages.Submission("a", "1", extranonce2, 1, 2, 0)

    def test_or_six(self) -> None:
        assert messages.decode_submission(Raw(b'["a","1","00","01","02","ff"]')).version_bits == 0xFF

    def test_what_is_not_hex_in_it_is_none(self) -> None:
        submission = messages.decode_submission(Raw(b'["a","1","0x","+1","","1_0"]'))
        assert submission == messages.Submission("a", "1", None, None, None, None)

    @pytest.mark.parametrize(
        "params",
        [b"null", b"[]", b"{}", b'"a"', b'["a","1","00","01"]', b'["a",1,"00","01","02"]', b'["a","1","00","01",null]'],
    )
    def test_anything_else_is_malformed(self, params: bytes) -> None:
        with pytest.raises(MalformedRequest):
            messages.decode_submission(Raw(params))

    @pytest.mark.parametrize("params", [b"null", b"[]", b'[null,null,"host:1",null]'])
    def test_subscribe_takes_nothing_and_nulls(self, params: bytes) -> None:
        decoder = msgspec.json.Decoder(messages.Subscribe)
        assert messages.decode_params(decoder, Raw(params)) == messages.Subscribe(None, None)


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "number"),
        [("00000001", 1), ("1", 1), ("f3c21", 0xF3C21), ("FFFFFFFF", 0xFFFFFFFF), ("AbCdEf01", 0xABCDEF01)],
    )
    def test_one_to_eight_hex_digits_are_a_field(self, text: str, number: int) -> None:
        assert messages.decode_uint32(text) == number

    @pytest.mark.parametrize("text", ALIASES_OF_NUMBERS)
    def test_what_pythons_parsers_would_take_as_well_is_none(self, text: str) -> None:
        assert messages.decode_uint32(text) is None

    def test_extranonce2_has_exactly_eight_bytes(self) -> None:
        assert messages.decode_extranonce2("00112233AAbbCCdd") == bytes.fromhex("00112233aabbccdd")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "00",
            "0011223344556677 ",
            "001122334455667",
            "001122334455667788",
            "00 11 22 33 4455",
            "  11223344556677",
            "0x11223344556677",
            "+011223344556677",
            "00112233_4556677",
            "\uff10" * 16,
            "zz11223344556677",
        ],
    )
    def test_nothing_else_is_an_extranonce2(self, text: str) -> None:
        assert messages.decode_extranonce2(text) is None


class TestEncoding:
    def test_a_reply_has_all_three_keys(self) -> None:
        assert messages.encode_result(b'"a"', b"true") == b'{"id":"a","result":true,"error":null}\n'

    def test_a_refusal_has_a_null_result_and_three_items(self) -> None:
        assert (
            messages.encode_error(b"4", StaleShare)
            == b'{"id":4,"result":null,"error":[21,"stale: a new block has come",null]}\n'
        )

    @pytest.mark.parametrize(("difficulty", "text"), [(65536.0, b"65536"), (0.005, b"0.005"), (1e12, b"1000000000000")])
    def test_a_difficulty_is_written_plainly(self, difficulty: float, text: bytes) -> None:
        assert (
            messages.encode_set_difficulty(difficulty)
            == b'{"id":null,"method":"mining.set_difficulty","params":[' + text + b"]}\n"
        )

    def test_a_mask_has_eight_digits(self) -> None:
        assert (
            messages.encode_set_version_mask(0x6000)
            == b'{"id":null,"method":"mining.set_version_mask","params":["00006000"]}\n'
        )


class TestNotify:
    def test_it_has_nine_params_of_the_agreed_shapes(self) -> None:
        job = make_job(job_id="18c", version=0x20000004, ntime=0x0A, nbits=0x0B)
        params = json.loads(messages.encode_job(job).clean)["params"]
        assert params[0] == "18c"
        assert params[2:] == [
            job.coinb1.hex(),
            job.coinb2.hex(),
            ["11" * 32, "22" * 32],
            "20000004",
            "0000000b",
            "0000000a",
            True,
        ]

    def test_the_previous_hash_has_its_words_reversed(self) -> None:
        params = json.loads(messages.encode_job(make_job(prev_hash=bytes(range(32)))).clean)["params"]
        assert params[1] == "03020100070605040b0a09080f0e0d0c13121110171615141b1a19181f1e1d1c"

    def test_only_the_last_param_tells_the_lines_apart(self) -> None:
        lines = messages.encode_job(make_job())
        assert lines.unclean == lines.clean.replace(b",true]}\n", b",false]}\n")

    def test_a_job_of_sixteen_levels_fits_every_known_miner(self) -> None:
        job = make_job(coinb1=bytes(60), coinb2=bytes(180), branch=(b"\x11" * 32,) * 16)
        assert len(messages.encode_job(job).unclean) < 4000
