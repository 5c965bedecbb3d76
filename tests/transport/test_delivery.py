"""Mail and webhooks through real sockets; pool/alerts/delivery.py."""

from __future__ import annotations

import hashlib
import hmac
import socket

import pytest

from pool.alerts.delivery import DeliveryFailed, MailServer, send_mail, send_webhook, signature
from tests.receivers import Hook, MailBox

TO = ["ann@pool.test", "bob@pool.test"]


def server(box: MailBox, **more: str) -> MailServer:
    return MailServer("127.0.0.1", box.port, "none", **more)


def send(to: MailServer) -> None:
    send_mail(to, "steppe@pool.test", TO, "[Steppe] PAGE: no node", "All are down.\n.\nMend: start one.\n")


class TestMail:
    def test_it_arrives_with_its_heads_and_its_text(self) -> None:
        with MailBox().open() as box:
            send(server(box))
        (mail,) = box.mails
        assert (mail["From"], mail["To"]) == ("steppe@pool.test", "ann@pool.test, bob@pool.test")
        assert mail["Subject"] == "[Steppe] PAGE: no node"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert str(mail.get_payload()).replace("\r\n", "\n") == "All are down.\n.\nMend: start one.\n"

    def test_one_who_is_not_known_is_named(self) -> None:
        with (
            MailBox(refuse=("bob@",)).open() as box,
            pytest.raises(DeliveryFailed, match=r"does not take mail for bob@"),
        ):
            send(server(box))

    def test_what_the_server_says_is_told(self) -> None:
        with MailBox(failing=1).open() as box, pytest.raises(DeliveryFailed, match="451 try again later"):
            send(server(box))

    def test_who_has_a_password_logs_in(self) -> None:
        with MailBox(capabilities=("AUTH PLAIN",)).open() as box:
            send(server(box, user="steppe", password="secret"))
        assert [each.split()[:2] for each in box.logins] == [["AUTH", "PLAIN"]]
        assert len(box.mails) == 1

    def test_a_server_without_tls_gets_nothing_when_tls_is_wanted(self) -> None:
        with MailBox().open() as box, pytest.raises(DeliveryFailed, match="STARTTLS"):
            send(MailServer("127.0.0.1", box.port, "starttls", "steppe", "secret"))
        assert (box.mails, box.logins) == ([], [])

    def test_nobody_there_is_told(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))  # and stays ours, so that nobody else listens there
            port = probe.getsockname()[1]
            with pytest.raises(DeliveryFailed, match=rf"SMTP at 127.0.0.1:{port}: "):
                send(MailServer("127.0.0.1", port, "none"))


class TestWebhook:
    SECRET = b"0123456789abcdef0123456789abcdef"

    def test_it_arrives_signed_so_that_the_receiver_can_check(self) -> None:
        with Hook().open() as hook:
            send_webhook(hook.url, self.SECRET, 1_700_000_000, b'{"a":1}')
        (posted,) = hook.posted
        assert (posted.path, posted.body) == ("/hook?of=steppe", b'{"a":1}')
        moment, _, made = posted.headers["steppe-signature"].partition(",v1=")
        expected = hmac.new(self.SECRET, moment.removeprefix("t=").encode() + b"." + posted.body, hashlib.sha256)
        assert hmac.compare_digest(made, expected.hexdigest())

    def test_the_signature_is_as_documented(self) -> None:
        # printf '1.{}' | openssl dgst -sha256 -hmac key
        made = "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
        assert signature(b"key", 1, b"{}") == f"t=1,v1={made}"

    def test_the_same_news_have_the_same_number(self) -> None:
        with Hook(500, 200).open() as hook:
            with pytest.raises(DeliveryFailed):
                send_webhook(hook.url, b"", 1, b"{}")
            send_webhook(hook.url, b"", 99, b"{}")
        assert hook.posted[0].headers["steppe-delivery"] == hook.posted[1].headers["steppe-delivery"]
        assert "steppe-signature" not in hook.posted[0].headers

    @pytest.mark.parametrize("status", [301, 302, 400, 404, 500, 503])
    def test_only_2xx_is_arrived_and_no_redirect_is_followed(self, status: int) -> None:
        with Hook(status).open() as hook, pytest.raises(DeliveryFailed, match=rf"127.0.0.1 answers {status}: said"):
            send_webhook(hook.url, self.SECRET, 1, b"{}")
        assert len(hook.posted) == 1
