"""Answers as values."""

from __future__ import annotations

from pool.dashboard.answers import Refusal, encoded, etag, is_known


def test_equal_bytes_have_equal_tags_in_every_process() -> None:
    assert etag(b"steppe") == '"891a17dd29f0f5726ddf3df373fb1b4a"'


def test_different_bytes_have_different_tags() -> None:
    assert etag(b"a") != etag(b"b")


def test_an_error_is_never_cached() -> None:
    assert encoded({"ready": False}, status=503).etag is None


def test_what_cannot_be_a_number_in_json_is_null() -> None:
    assert encoded([float("nan"), float("inf")]).body == b"[null,null]"


def test_an_answer_without_a_tag_is_never_known() -> None:
    assert not is_known(Refusal(404, "code", "message", "hint").answer(), "*")


def test_a_refusal_says_code_message_and_hint() -> None:
    answer = Refusal(400, "bad", "What is wrong.", "How to mend it.").answer()
    assert answer.body == b'{"error":{"code":"bad","message":"What is wrong.","hint":"How to mend it."}}'
