"""The certificate: new ones are taken without a restart, bad ones are refused with what to mend."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from twisted.internet.task import Clock as Reactor

from pool.roles.certificate import EXPIRES_SOON_MS, REMIND_MS, WATCH_SECONDS, BadCertificate, Certificate
from tests.certificates import write_pair
from tests.fakes import FakeClock
from tests.stratum.scene import logged

DAY_MS = 86_400_000


def loaded(tmp_path: Path) -> Certificate:
    return Certificate(*write_pair(tmp_path), FakeClock())


def changed(tmp_path: Path) -> None:
    """Another pair in the same files, at another time."""
    for file in write_pair(tmp_path, serial=2):
        os.utime(file, ns=(1, 1))


class TestFiles:
    def test_a_good_pair_serves_tls_from_version_1_2_on(self, tmp_path: Path) -> None:
        assert loaded(tmp_path).context.minimum_version is ssl.TLSVersion.TLSv1_2

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(BadCertificate, match=r"none\.pem cannot be read: No such file"):
            Certificate(tmp_path / "none.pem", tmp_path / "none.key", FakeClock())

    def test_what_is_no_pem_is_named(self, tmp_path: Path) -> None:
        pem, key = write_pair(tmp_path)
        key.write_bytes(b"\x30\x82")
        with pytest.raises(BadCertificate, match=r"pool\.key is not PEM"):
            Certificate(pem, key, FakeClock())

    def test_a_key_of_another_certificate_is_named(self, tmp_path: Path) -> None:
        pem, key = write_pair(tmp_path)
        other = tmp_path / "other"
        other.mkdir()
        key.write_bytes(write_pair(other)[1].read_bytes())
        with pytest.raises(BadCertificate, match=r"pool\.key is not the key of the first certificate"):
            Certificate(pem, key, FakeClock())

    def test_a_key_with_a_password_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(BadCertificate, match=r"pool\.key is encrypted"):
            Certificate(*write_pair(tmp_path, password=b"secret"), FakeClock())

    def test_a_key_in_the_place_of_the_certificate_is_no_pair(self, tmp_path: Path) -> None:
        pem, key = write_pair(tmp_path)
        with pytest.raises(BadCertificate, match="no pair for TLS"):
            Certificate(key, pem, FakeClock())


class TestReload:
    def test_a_new_pair_is_taken_and_told(self, tmp_path: Path) -> None:
        certificate = loaded(tmp_path)
        before = certificate.context
        changed(tmp_path)
        with logged() as events:
            certificate.reload()
        assert certificate.context is not before
        assert [event["event"] for event in events] == ["certificate_loaded"]

    def test_a_bad_one_is_refused_and_the_old_one_stays(self, tmp_path: Path) -> None:
        certificate = loaded(tmp_path)
        before = certificate.context
        (tmp_path / "pool.pem").write_text("nonsense")
        with logged() as events:
            certificate.reload()
        assert certificate.context is before
        assert [event["event"] for event in events] == ["certificate_refused"]
        assert "is not PEM" in events[0]["problem"]

    def test_files_that_changed_and_rest_are_read_again(self, tmp_path: Path) -> None:
        certificate = loaded(tmp_path)
        before = certificate.context
        changed(tmp_path)
        certificate.watch()
        while_they_may_still_change = certificate.context
        certificate.watch()
        assert while_they_may_still_change is before
        assert certificate.context is not before

    def test_files_that_did_not_change_are_not(self, tmp_path: Path) -> None:
        certificate = loaded(tmp_path)
        before = certificate.context
        for _ in range(3):
            certificate.watch()
        assert certificate.context is before

    def test_a_bad_pair_is_told_once(self, tmp_path: Path) -> None:
        certificate = loaded(tmp_path)
        (tmp_path / "pool.pem").write_text("nonsense")
        with logged() as events:
            for _ in range(5):
                certificate.watch()
        assert [event["event"] for event in events] == ["certificate_refused"]

    def test_files_that_are_gone_for_a_moment_are_waited_for(self, tmp_path: Path) -> None:
        certificate = loaded(tmp_path)
        before = certificate.context
        (tmp_path / "pool.pem").unlink()
        with logged() as events:
            certificate.watch()
            certificate.watch()
        changed(tmp_path)
        certificate.watch()
        certificate.watch()
        assert events == []
        assert certificate.context is not before


class TestEnd:
    def test_the_alarm_comes_two_weeks_before_and_then_daily(self, tmp_path: Path) -> None:
        clock = FakeClock()
        certificate = Certificate(*write_pair(tmp_path), clock)
        clock.now_ms = certificate.expires_ms - EXPIRES_SOON_MS - 1
        with logged() as events:
            certificate.watch()
            assert events == []
            clock.now_ms += 1
            certificate.watch()
            certificate.watch()
            clock.now_ms += REMIND_MS
            certificate.watch()
        assert [event["event"] for event in events] == ["certificate_expires"] * 2

    def test_a_new_pair_ends_it(self, tmp_path: Path) -> None:
        clock = FakeClock()
        certificate = Certificate(*write_pair(tmp_path, days=1), clock)
        write_pair(tmp_path, days=90)
        certificate.reload()
        clock.now_ms = certificate.expires_ms - EXPIRES_SOON_MS - DAY_MS
        with logged() as events:
            certificate.watch()
        assert events == []


def test_the_files_are_looked_at_every_few_seconds(tmp_path: Path) -> None:
    certificate, reactor = loaded(tmp_path), Reactor()
    before = certificate.context
    certificate.start(reactor)
    changed(tmp_path)
    reactor.advance(WATCH_SECONDS)
    reactor.advance(WATCH_SECONDS)
    certificate.stop()
    assert certificate.context is not before
    assert reactor.getDelayedCalls() == []
