"""Output scripts of addresses, and the few scripts that a coinbase needs."""

from __future__ import annotations

import bdkpython

from pool.bitcoin.network import NETWORKS, Network

_OP_PUSHDATA1 = 0x4C
_OP_PUSHDATA4 = 0x4E
_OP_1 = 0x51
# OP_CHECKSIG, OP_CHECKSIGVERIFY, and the two of several keys, which count as twenty whatever they have.
_SIGOPS = {0xAC: 1, 0xAD: 1, 0xAE: 20, 0xAF: 20}
_OP_RETURN = b"\x6a"

# Pushes up to here have one byte in front; longer ones are not needed in a coinbase.
PUSH_BYTES_MAX = _OP_PUSHDATA1 - 1

# What an output script begins with that commits to the witnesses of a block. Source: BIP-0141.
WITNESS_COMMITMENT_PREFIX = _OP_RETURN + b"\x24\xaa\x21\xa9\xed"


def output_script(address: str, network: Network) -> bytes:
    """The script that pays an address. Raises ValueError with a text that says what is wrong with it."""
    try:
        return _script_on(address, network)
    except bdkpython.AddressParseError as error:
        others = [other.name for other in NETWORKS.values() if other != network and _is_address(address, other)]
        if others:
            raise ValueError(f"{address!r} is an address of {' or '.join(others)}, not of {network.name}") from error
        raise ValueError(
            f"{address!r} is no Bitcoin address: a character is wrong or missing (its checksum does not fit)"
        ) from error


def address_of(script: bytes, network: Network) -> str | None:
    """The address that a script pays; None if it has none."""
    try:
        return str(bdkpython.Address.from_script(bdkpython.Script(script), bdkpython.Network[network.address_network]))
    except bdkpython.FromScriptError:
        return None


def push(data: bytes) -> bytes:
    """The script that puts 1 to 75 bytes on the stack. Raises ValueError for another length."""
    if not 1 <= len(data) <= PUSH_BYTES_MAX:
        raise ValueError(f"a push has 1 to {PUSH_BYTES_MAX} bytes here, not {len(data)}")
    return bytes([len(data)]) + data


def push_height(height: int) -> bytes:
    """The height at the front of a coinbase script, byte for byte as BIP-0034 wants it.

    Source: Bitcoin Core, `CScript() << nHeight` in `ContextualCheckBlock`, which writes 1 to 16 as one opcode.
    """
    if height < 0:
        raise ValueError(f"a height is not negative: {height}")
    if height == 0:
        return b"\x00"
    if height <= 16:
        return bytes([_OP_1 + height - 1])
    # One bit more than the number has, for the sign.
    number = height.to_bytes(height.bit_length() // 8 + 1, "little")
    return bytes([len(number)]) + number


def witness_commitment_script(commitment: bytes) -> bytes:
    """The output script that commits to the witnesses of a block. commitment: 32 bytes. Source: BIP-0141."""
    return WITNESS_COMMITMENT_PREFIX + commitment


def legacy_sigops(script: bytes) -> int:
    """Signature checks as a block counts them in the scripts of a transaction itself: also where they never run.

    Source: Bitcoin Core, `CScript::GetSigOpCount(false)`, which stops at a push that goes beyond the end.
    """
    count = place = 0
    while place < len(script):
        opcode = script[place]
        place += 1
        if opcode < _OP_PUSHDATA1:
            place += opcode
        elif opcode <= _OP_PUSHDATA4:
            length_bytes = 1 << opcode - _OP_PUSHDATA1
            place += length_bytes + int.from_bytes(script[place : place + length_bytes], "little")
        else:
            count += _SIGOPS.get(opcode, 0)
    return count


def _script_on(address: str, network: Network) -> bytes:
    parsed = bdkpython.Address(address, bdkpython.Network[network.address_network])
    return bytes(parsed.script_pubkey().to_bytes())


def _is_address(address: str, network: Network) -> bool:
    try:
        _script_on(address, network)
    except bdkpython.AddressParseError:
        return False
    return True
