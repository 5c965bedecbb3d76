"""Block 100000 of the main chain, and branches of any length against the definition of a merkle root."""

from __future__ import annotations

from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import merkle_root, sha256d
from pool.bitcoin.merkle import branch, root, witness_commitment

# Block 100000: four transactions, the first its coinbase.
TXIDS = [
    bytes.fromhex(txid_hex)[::-1]
    for txid_hex in (
        "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
        "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
        "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
        "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
    )
]
ROOT = bytes.fromhex("f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766")[::-1]


def defined_root(hashes: list[bytes]) -> bytes:
    """Bitcoin Core's rule, a level at a time: an odd level doubles its last node."""
    while len(hashes) > 1:
        if len(hashes) % 2:
            hashes = [*hashes, hashes[-1]]
        hashes = [sha256d(hashes[i] + hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


class TestBranch:
    def test_block_100000_folds_to_its_root(self) -> None:
        assert merkle_root(TXIDS[0], b"".join(branch(TXIDS[1:]))) == ROOT

    def test_the_deepest_hash_comes_first(self) -> None:
        assert branch(TXIDS[1:]) == (TXIDS[1], sha256d(TXIDS[2] + TXIDS[3]))

    def test_a_block_of_a_coinbase_alone_has_an_empty_branch(self) -> None:
        assert branch([]) == ()

    @given(st.integers(0, 70))
    def test_it_folds_to_the_root_of_all_transactions_for_any_count(self, count: int) -> None:
        txids = [sha256d(bytes([number])) for number in range(count + 1)]
        assert merkle_root(txids[0], b"".join(branch(txids[1:]))) == defined_root(txids)

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 8, 4095, 4096])
    def test_it_has_as_many_hashes_as_the_tree_has_levels(self, count: int) -> None:
        assert len(branch([bytes(32)] * count)) == ceil(log2(count + 1))


class TestRoot:
    def test_a_coinbase_alone_is_the_root(self) -> None:
        assert root(TXIDS[:1]) == TXIDS[0]

    def test_block_100000_has_its_root(self) -> None:
        assert root(TXIDS) == ROOT


class TestWitnessCommitment:
    """BIP-0141. The empty one is what every node shows for an empty template."""

    def test_without_transactions_it_commits_to_the_coinbase_alone(self) -> None:
        assert witness_commitment([]).hex() == "e2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"

    def test_it_commits_to_each_witness(self) -> None:
        assert witness_commitment(TXIDS[1:]) != witness_commitment(TXIDS[2:])
