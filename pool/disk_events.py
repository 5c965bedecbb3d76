"""Log events of the disk and of what is kept on it, as those of `pool.events`. In alphabetical order."""

from __future__ import annotations

from pathlib import Path

from pool.emit import CRITICAL, ERROR, INFO, WARNING, emit


def disk_has_room(folder: Path, free_bytes: int) -> None:
    """The disk of a folder is no longer short of room."""
    emit(INFO, "disk_has_room", folder=folder, free_bytes=free_bytes)


def disk_low(folder: Path, free_bytes: int, total_bytes: int) -> None:
    """The disk of a folder runs out of room; said once until `disk_has_room`."""
    emit(
        ERROR,
        "disk_low",
        folder=folder,
        free_bytes=free_bytes,
        total_bytes=total_bytes,
        message="Make room before it is full: then no share is accepted and the miners are sent away. A journal is "
        "shortened by stratum.journal_keep_days.",
    )


def former_journal_found(frontend: str, folder: Path, last_seq: int) -> None:
    """A journal that no process appends to any more; what the ledger lacks of it is shipped."""
    emit(INFO, "former_journal_found", frontend=frontend, folder=folder, last_seq=last_seq)


def found_blocks_not_kept(path: Path, reason: str) -> None:
    """The share of a block cannot be kept beside the journal; it is in the journal a moment later. Said once."""
    emit(
        WARNING,
        "found_blocks_not_kept",
        path=path,
        reason=reason,
        message="Should this process be killed before the journal has that share, the books do not know of the block: "
        "`stray_block` will tell.",
    )


def journal_not_packed(folder: Path, reason: str) -> None:
    """A full segment could not be compressed; it stays as it is and is tried again. Said once until it works."""
    emit(WARNING, "journal_not_packed", folder=folder, reason=reason)


def journal_not_removed(folder: Path, reason: str) -> None:
    """Old segments stay for now, because it cannot be told that nothing needs them. Said once until it can."""
    emit(WARNING, "journal_not_removed", folder=folder, reason=reason)


def journal_records_gone(frontend: str, reason: str) -> None:
    """The ledger wants records that were removed from the journal: it is an old copy, or another one."""
    emit(
        CRITICAL,
        "journal_records_gone",
        frontend=frontend,
        reason=reason,
        message="Nothing of this journal is shipped until that is mended: restore a ledger that has these records, or "
        "put the segments of a backup back into the folder.",
    )


def journal_shortened(folder: Path, path: Path, first_seq: int) -> None:
    """A segment older than `journal_keep_days` was removed; the journal begins with record `first_seq` now."""
    emit(INFO, "journal_shortened", folder=folder, path=path, first_seq=first_seq)


def reserve_incomplete(folder: Path, parts: int, parts_wanted: int, reason: str) -> None:
    """There is not enough room to set aside what blocks may need on a full disk. Said once until it is."""
    emit(WARNING, "reserve_incomplete", folder=folder, parts=parts, parts_wanted=parts_wanted, reason=reason)


def reserve_used(path: Path, parts_left: int) -> None:
    """The disk is full; a block was kept in the room set aside for it."""
    emit(
        CRITICAL,
        "reserve_used",
        path=path,
        parts_left=parts_left,
        message="The block is safe. Make room: so many more blocks can be kept, then they go to the node alone.",
    )
