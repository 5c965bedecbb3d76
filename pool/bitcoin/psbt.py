"""The unsigned transaction of a PSBT (BIP-0174, version 0), which is all that the pool reads of one itself."""

from __future__ import annotations

import base64
import binascii

from pool.bitcoin.transaction import ByteReader

_MAGIC = b"psbt\xff"
_UNSIGNED_TX_KEY = b"\x00"


def unsigned_transaction(psbt: str) -> bytes:
    """The transaction that a PSBT is about, serialised without scriptSigs and witnesses. psbt: base64.

    Raises ValueError with a text that says why it is no PSBT of version 0.
    """
    try:
        raw = base64.b64decode("".join(psbt.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"it is not base64: {error}") from error
    if not raw.startswith(_MAGIC):
        raise ValueError("it does not begin as a PSBT does")
    reader = ByteReader(raw)
    reader.take(len(_MAGIC))
    while size := reader.take_size():
        key, value = reader.take(size), reader.take(reader.take_size())
        if key == _UNSIGNED_TX_KEY:
            return value
    raise ValueError("it has no unsigned transaction: is it a PSBT of version 2?")
