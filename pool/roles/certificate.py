"""The certificate for TLS: read at the start, again when its files change or on request, and watched for its end."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from twisted.internet.task import LoopingCall

from pool import events
from pool.ports import Clock

WATCH_SECONDS = 5.0
# Renewal by ACME happens a month before the end; three weeks are late, and leave time.
EXPIRES_SOON_MS = 21 * 86_400_000
# The alarm is repeated, since one line in a log is easily missed.
REMIND_MS = 86_400_000

_Stamp = tuple[tuple[int, int, int], ...]


class BadCertificate(Exception):
    """The pair cannot be used; the text says what to mend."""


class Certificate:
    """A certificate and its key in two files of PEM. Raises BadCertificate if they cannot be used from the start."""

    def __init__(self, certificate: Path, key: Path, clock: Clock) -> None:
        self._certificate = certificate
        self._key = key
        self._clock = clock
        self._stamp = self._seen = _stamp((certificate, key))
        self.context, self.expires_ms = _read(certificate, key)
        self._reminded_ms: int | None = None
        self._watching = LoopingCall(self.watch)

    def start(self, reactor: Any) -> None:
        """Tell what is in use, then look at the files every few seconds."""
        events.certificate_loaded(str(self._certificate), self.expires_ms)
        self._watching.clock = reactor
        self._watching.start(WATCH_SECONDS)

    def stop(self) -> None:
        """Look no more."""
        if self._watching.running:
            self._watching.stop()

    def watch(self) -> None:
        """Read the files again if they changed and have rested since: the two are not written at one instant."""
        stamp = _stamp((self._certificate, self._key))
        if stamp not in (self._stamp, ()) and stamp == self._seen:
            self.reload()
        self._seen = stamp
        self._remind()

    def reload(self) -> None:
        """Read the files again. New connections get the new pair, open ones go on; a bad pair changes nothing."""
        self._stamp = self._seen = _stamp((self._certificate, self._key))
        try:
            self.context, self.expires_ms = _read(self._certificate, self._key)
        except BadCertificate as error:
            events.certificate_refused(str(self._certificate), str(error))
            return
        self._reminded_ms = None
        events.certificate_loaded(str(self._certificate), self.expires_ms)

    def _remind(self) -> None:
        now_ms = self._clock.time_ms()
        if self.expires_ms - now_ms > EXPIRES_SOON_MS:
            return
        if self._reminded_ms is None or now_ms - self._reminded_ms >= REMIND_MS:
            self._reminded_ms = now_ms
            events.certificate_expires(str(self._certificate), self.expires_ms)


def _stamp(files: Sequence[Path]) -> _Stamp:
    """What changes when a file does; empty while one is not there."""
    try:
        return tuple((found.st_mtime_ns, found.st_size, found.st_ino) for found in (file.stat() for file in files))
    except OSError:
        return ()


def _read(certificate: Path, key: Path) -> tuple[ssl.SSLContext, int]:
    """A context that serves this pair, and when the certificate ends. Raises BadCertificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A renegotiation costs us much and the miner nothing.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # Before OpenSSL reads them, since its errors name neither file nor reason.
    for file in (certificate, key):
        try:
            if b"-----BEGIN " not in file.read_bytes():
                raise BadCertificate(f"{file} is not PEM: it should have a line -----BEGIN ...-----")
        except OSError as error:
            raise BadCertificate(f"{file} cannot be read: {error.strerror}") from error
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
        ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (ssl.SSLError, OSError, ValueError) as error:
        raise BadCertificate(_mend(certificate, key, str(error))) from error
    return context, int(ends.timestamp()) * 1000


def _no_password() -> bytes:
    # Without this OpenSSL would ask at the terminal.
    raise ssl.SSLError("ENCRYPTED")


def _mend(certificate: Path, key: Path, reason: str) -> str:
    if "ENCRYPTED" in reason:
        return f"{key} is encrypted: write the key without a password, readable by the pool's user alone"
    if "MISMATCH" in reason:
        return f"{key} is not the key of the first certificate in {certificate}"
    return f"{certificate} and {key} are no pair for TLS: {reason}"
