"""The ways out: e-mail by SMTP, and a webhook with a signature. Both block; they are called in threads."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

TIMEOUT_SECONDS: Final = 15.0
_ANSWER_BYTES_MAX: Final = 200


class DeliveryFailed(Exception):
    """A message did not arrive, or may not have; the text says why."""


class MailServer(Struct, frozen=True):
    """Where mail is handed over. security: none, starttls or tls."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""


def send_mail(server: MailServer, sender: str, to: list[str], subject: str, text: str) -> None:
    """Hand a mail over; it has arrived if the server takes it for all who should get it. Raises DeliveryFailed."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(to), subject
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid("steppe", sender.rpartition("@")[2] or "localhost")
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation answers it
    mail.set_content(text)
    try:
        with _connected(server) as smtp:
            if server.user:
                smtp.login(server.user, server.password)
            refused = smtp.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(f"SMTP at {server.host}:{server.port}: {_reason(error)}") from error
    if refused:
        raise DeliveryFailed(f"SMTP at {server.host}:{server.port} does not take mail for {', '.join(refused)}")


def _connected(server: MailServer) -> smtplib.SMTP:
    if server.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    if server.security == "starttls":
        try:
            smtp.starttls(context=ssl.create_default_context())
        except BaseException:
            smtp.close()
            raise
    return smtp


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__


def signature(secret: bytes, time_s: int, body: bytes) -> str:
    """What the header Steppe-Signature says: whoever has the secret can see that the body is ours, and of that time.
    HMAC-SHA256 (RFC 2104) of the seconds in decimal, a full stop, and the body."""
    made = hmac.new(secret, f"{time_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={time_s},v1={made}"


def send_webhook(url: str, secret: bytes, time_s: int, body: bytes) -> None:
    """POST a body; it has arrived if the answer is 2xx. No redirect is followed. Raises DeliveryFailed."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, parts.port, timeout=TIMEOUT_SECONDS)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Steppe",
        # The same for the same news: a receiver that knows it has it already.
        "Steppe-Delivery": hashlib.sha256(body).hexdigest()[:32],
    }
    if secret:
        headers["Steppe-Signature"] = signature(secret, time_s, body)
    try:
        target = parts.path or "/"
        connection.request("POST", f"{target}?{parts.query}" if parts.query else target, body, headers)
        answer = connection.getresponse()
        said = answer.read(_ANSWER_BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryFailed(f"webhook at {host}: {error or type(error).__name__}") from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise DeliveryFailed(f"webhook at {host} answers {answer.status}: {said.decode('utf-8', 'replace')}")
