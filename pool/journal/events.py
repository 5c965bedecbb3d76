"""Log events of the journals and of what is made of them; see `pool.events`."""

from __future__ import annotations

from pathlib import Path

from pool.emit import CRITICAL, INFO, WARNING, emit


def journal_accepting(folder: Path) -> None:
    """Shares are written again after a time of refusals."""
    emit(WARNING, "journal_accepting", folder=folder)


def journal_behind_ledger(frontend: str, durable_seq: int, shipped: int | None, committed: int | None) -> None:
    """The journal ends before records that the stream or the ledger already has."""
    emit(
        CRITICAL,
        "journal_behind_ledger",
        frontend=frontend,
        durable_seq=durable_seq,
        shipped=shipped,
        committed=committed,
        message="the journal is an old copy: end the stratum role and move its journal folder away; shares accepted "
        "since are in it and not yet counted, so keep it",
    )


def journal_broken(folder: Path, durable_seq: int, reason: str) -> None:
    """The disk failed behind record `durable_seq`; nothing is written until a new segment is there."""
    emit(CRITICAL, "journal_broken", folder=folder, durable_seq=durable_seq, reason=reason)


def journal_opened(frontend: str, folder: Path, next_seq: int) -> None:
    """The journal is whole and locked."""
    emit(INFO, "journal_opened", frontend=frontend, folder=folder, next_seq=next_seq)


def journal_refusing(folder: Path, reason: str) -> None:
    """Shares cannot be written, so none is acknowledged; said once until `journal_accepting`."""
    emit(CRITICAL, "journal_refusing", folder=folder, reason=reason)


def journal_repaired(folder: Path, first_seq: int) -> None:
    """A new segment took the place of what the disk would not keep."""
    emit(WARNING, "journal_repaired", folder=folder, first_seq=first_seq)


def journal_segment_dropped(path: Path, reason: str) -> None:
    """A crash left a segment that counts for nothing."""
    emit(WARNING, "journal_segment_dropped", path=path, reason=reason)


def journal_tail_cut(path: Path, offset: int, cut_bytes: int) -> None:
    """A crash cut a group off while it was written; what there was of it is gone."""
    emit(WARNING, "journal_tail_cut", path=path, offset=offset, cut_bytes=cut_bytes)


def journal_unreadable(reader: str, reason: str) -> None:
    """What was written to the journal does not come back; `reader` goes no further."""
    emit(CRITICAL, "journal_unreadable", reader=reader, reason=reason)


def share_stream_drained(frontend: str) -> None:
    """Accounting has caught up; shares go into the stream again."""
    emit(INFO, "share_stream_drained", frontend=frontend)


def share_stream_full(frontend: str, entries: int) -> None:
    """Accounting is behind or away; shares wait in the journal. Said once until `share_stream_drained`."""
    emit(WARNING, "share_stream_full", frontend=frontend, entries=entries)


def shares_resent(frontend: str, first_seq: int, last_seq: int) -> None:
    """Redis forgot these shares or accounting asked for them; they go into the stream again and count once."""
    emit(INFO, "shares_resent", frontend=frontend, first_seq=first_seq, last_seq=last_seq)


def statistics_folded_anew(frontend: str, reason: str) -> None:
    """The kept statistics cannot be used, so they are counted again from the whole journal."""
    emit(INFO, "statistics_folded_anew", frontend=frontend, reason=reason)


def statistics_incomplete(frontend: str, first_seq: int, last_seq: int) -> None:
    """The kept statistics end before the journal begins: these records are in neither. The counting goes on behind."""
    emit(WARNING, "statistics_incomplete", frontend=frontend, first_seq=first_seq, last_seq=last_seq)


def statistics_not_kept(frontend: str, reason: str) -> None:
    """The statistics could not be written to their file; the next start counts more of the journal again."""
    emit(WARNING, "statistics_not_kept", frontend=frontend, reason=reason)
