"""sha256d, merkle_root, header and meets_target, on every twin."""

from hashlib import sha256
from types import ModuleType

import pytest

from tests.native.blocks import (
    BLOCK_HASH,
    BLOCK_HEADER,
    BLOCK_NBITS,
    BLOCK_NONCE,
    BLOCK_NTIME,
    BLOCK_PREV_HASH,
    BLOCK_ROOT,
    BLOCK_TXIDS,
    BLOCK_VERSION,
    GENESIS_HASH,
    GENESIS_HEADER,
)

NONE_LARGER = b"\xff" * 32


class TestSha256d:
    # Message and SHA-256 of it: NIST, "Examples with Intermediate Values: SHA256" and its additional test data.
    @pytest.mark.parametrize(
        ("message", "sha256_hex"),
        [
            (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (
                b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
                b"mnopqrstnopqrstu",
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
            ),
            (b"\xbd", "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"),
            (b"\x00" * 55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"),
            (b"\x00" * 56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"),
            (b"\x00" * 64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"),
            (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ],
        ids=["empty", "abc", "448 bits", "896 bits", "0xbd", "55 zeros", "56 zeros", "64 zeros", "a million a"],
    )
    def test_it_is_the_hash_of_the_published_hash(self, twin: ModuleType, message: bytes, sha256_hex: str) -> None:
        assert twin.sha256d(message) == sha256(bytes.fromhex(sha256_hex)).digest()

    @pytest.mark.parametrize("length", range(130))
    def test_every_length_around_two_blocks_is_padded_right(self, twin: ModuleType, length: int) -> None:
        message = bytes(range(length))
        assert twin.sha256d(message) == sha256(sha256(message).digest()).digest()

    def test_the_genesis_header_has_the_genesis_hash(self, twin: ModuleType) -> None:
        assert twin.sha256d(GENESIS_HEADER) == GENESIS_HASH

    def test_block_100000_has_its_hash(self, twin: ModuleType) -> None:
        assert twin.sha256d(BLOCK_HEADER) == BLOCK_HASH

    def test_text_is_refused(self, twin: ModuleType) -> None:
        with pytest.raises(TypeError):
            twin.sha256d("abc")


class TestMerkleRoot:
    def test_the_branch_of_block_100000_leads_to_its_root(self, twin: ModuleType) -> None:
        first, second, third, fourth = BLOCK_TXIDS
        assert twin.merkle_root(first, second + twin.sha256d(third + fourth)) == BLOCK_ROOT

    def test_a_lone_transaction_is_its_own_root(self, twin: ModuleType) -> None:
        assert twin.merkle_root(BLOCK_TXIDS[0], b"") == BLOCK_TXIDS[0]

    @pytest.mark.parametrize("length", [0, 31, 33])
    def test_a_txid_of_another_length_is_refused(self, twin: ModuleType, length: int) -> None:
        with pytest.raises(ValueError, match=r"^txid must be 32 bytes$"):
            twin.merkle_root(bytes(length), b"")

    @pytest.mark.parametrize("length", [1, 31, 33, 63])
    def test_a_branch_of_broken_hashes_is_refused(self, twin: ModuleType, length: int) -> None:
        with pytest.raises(ValueError, match=r"^branch must be a multiple of 32 bytes$"):
            twin.merkle_root(bytes(32), bytes(length))


class TestHeader:
    def test_the_fields_of_block_100000_make_its_header(self, twin: ModuleType) -> None:
        fields = (BLOCK_VERSION, BLOCK_PREV_HASH, BLOCK_ROOT, BLOCK_NTIME, BLOCK_NBITS, BLOCK_NONCE)
        assert twin.header(*fields) == BLOCK_HEADER

    def test_the_integers_are_little_endian_and_unsigned(self, twin: ModuleType) -> None:
        made = twin.header(0xFFFFFFFF, bytes(32), bytes(32), 0x01020304, 0x80000000, 1)
        assert (made[:4], made[68:]) == (b"\xff" * 4, b"\x04\x03\x02\x01\x00\x00\x00\x80\x01\x00\x00\x00")

    @pytest.mark.parametrize("value", [-1, 1 << 32, 1 << 64, -(1 << 64)])
    @pytest.mark.parametrize("name", ["version", "ntime", "nbits", "nonce"])
    def test_an_integer_that_does_not_fit_is_refused(self, twin: ModuleType, name: str, value: int) -> None:
        fields = {"version": 1, "prev_hash": bytes(32), "root": bytes(32), "ntime": 1, "nbits": 1, "nonce": 1}
        with pytest.raises(ValueError, match=rf"^{name} must be from 0 to 2\*\*32 - 1$"):
            twin.header(**fields | {name: value})

    def test_a_float_is_refused(self, twin: ModuleType) -> None:
        with pytest.raises(TypeError):
            twin.header(1.0, bytes(32), bytes(32), 1, 1, 1)

    @pytest.mark.parametrize("name", ["prev_hash", "root"])
    def test_a_hash_of_another_length_is_refused(self, twin: ModuleType, name: str) -> None:
        fields = {"version": 1, "prev_hash": bytes(32), "root": bytes(32), "ntime": 1, "nbits": 1, "nonce": 1}
        with pytest.raises(ValueError, match=f"^{name} must be 32 bytes$"):
            twin.header(**fields | {name: bytes(31)})


class TestMeetsTarget:
    # A borrow runs through every byte when one is taken from this number.
    TARGET = 1 << 224

    @pytest.mark.parametrize(("number", "meets"), [(TARGET - 1, True), (TARGET, True), (TARGET + 1, False), (0, True)])
    def test_a_digest_meets_a_target_that_is_not_below_it(self, twin: ModuleType, number: int, meets: bool) -> None:
        digest, target = number.to_bytes(32, "little"), self.TARGET.to_bytes(32, "little")
        assert twin.meets_target(digest, target) is meets

    def test_the_last_byte_weighs_most(self, twin: ModuleType) -> None:
        assert not twin.meets_target(bytes(31) + b"\x02", b"\xff" * 31 + b"\x01")

    def test_every_digest_meets_the_largest_target(self, twin: ModuleType) -> None:
        assert twin.meets_target(NONE_LARGER, NONE_LARGER)

    @pytest.mark.parametrize(("digest", "target", "name"), [(31, 32, "digest"), (32, 33, "target")])
    def test_another_length_is_refused(self, twin: ModuleType, digest: int, target: int, name: str) -> None:
        with pytest.raises(ValueError, match=f"^{name} must be 32 bytes$"):
            twin.meets_target(bytes(digest), bytes(target))
