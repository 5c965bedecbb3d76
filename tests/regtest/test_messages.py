"""Messages to people through the real web role, with a real Redis, mail server and webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pool.node.loopback import free_port
from tests.receivers import Hook, MailBox
from tests.regtest.redis_child import RedisChild, redis_child
from tests.regtest.whole_pool import events_of, eventually

SECRET = "0123456789abcdef0123456789abcdef"
LIFE_SECONDS = 600.0

CONFIGURATION = """\
[pool]
chain = "regtest"
payout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
data_dir = "data"

[[node]]
url = "http://127.0.0.1:1"
cookie_file = "none"

[redis]
url = "{redis}"

[web]
listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin_port}"

[alerts]
severity = "page"
interval_seconds = 10
baseline_seconds = 0
email_to = ["ann@pool.test"]
email_from = "steppe@pool.test"
smtp = "127.0.0.1:{smtp}"
smtp_security = "none"
webhook_url = "{hook}"
webhook_secret_file = "secret"
"""


class Pool:
    """A web role that nobody else is with."""

    def __init__(self, folder: Path, redis: RedisChild, box: MailBox, hook: Hook) -> None:
        self.redis, self.box, self.hook = redis, box, hook
        self.config = folder / "steppe.toml"
        (folder / "secret").write_text(f"{SECRET}\n")
        self.config.write_text(
            CONFIGURATION.format(
                redis=redis.url, port=free_port(), admin_port=free_port(), smtp=box.port, hook=hook.url
            )
        )
        self.file = folder / "data" / "told.json"
        self._log = folder / "web.log"

    def start(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "pool", "run", "--role", "web", "-c", str(self.config)]
        with self._log.open("ab") as out:
            return subprocess.Popen(argv, stdout=out, stderr=out)

    def steppe(self, *words: str) -> str:
        argv = [sys.executable, "-m", "pool", *words, "-c", str(self.config)]
        return subprocess.run(argv, check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode()

    def alarm(self, *keys: str) -> None:
        alarms = [{"key": key, "severity": "page", "title": f"{key} \r\nBcc: eve", "text": "why"} for key in keys]
        self.redis.store.publish_role("accounting", "0", {"lag_shares": 0, "alerts": alarms}, LIFE_SECONDS)

    def mailed(self, word: str) -> bool:
        return any(word in f"{mail['Subject']} {mail.get_payload()}" for mail in self.box.mails)

    def events(self) -> list[str]:
        return [event["event"] for event in events_of(self._log)]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with redis_child() as redis, MailBox(failing=1).open() as box, Hook(503, 200).open() as hook:
        it = Pool(tmp_path_factory.mktemp("pool"), redis, box, hook)
        process = it.start()
        try:
            eventually("what is wrong at the start is known", it.file.exists)
            yield it
        finally:
            process.terminate()
            assert process.wait(60) == 0


def test_an_alarm_arrives_by_mail_and_by_webhook_after_each_failed_once(pool: Pool) -> None:
    pool.alarm("first")
    eventually("mail", lambda: pool.mailed("first"), 120)
    eventually("webhook", pool.hook.arrived.is_set, 120)
    (mail, *_) = pool.box.mails
    assert mail["To"] == "ann@pool.test"
    assert mail["Bcc"] is None
    assert "PAGE: first" in mail["Subject"]
    posted = pool.hook.posted[-1]
    told = json.loads(posted.body)
    assert "first ??Bcc: eve" in str(mail.get_payload())
    assert [alert["key"] for alert in told["raised"]] == ["first"]
    moment = posted.headers["steppe-signature"].partition(",")[0].removeprefix("t=")
    made = hmac.new(SECRET.encode(), f"{moment}.".encode() + posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["steppe-signature"].endswith(f"v1={made}")
    assert "alert_not_sent" in pool.events()


def test_what_was_wrong_before_anybody_listened_was_not_told(pool: Pool) -> None:
    assert not pool.mailed("no stratum role")


def test_maintenance_is_heard_and_at_its_end_what_came_meanwhile_is_told(pool: Pool) -> None:
    """That nothing is sent meanwhile takes no waiting in tests/pool/roles/test_alerts.py."""
    assert pool.steppe("maintenance", "on", "--minutes", "30", "--reason", "new switch").startswith("no messages until")
    assert "new switch" in pool.steppe("maintenance", "show")
    eventually("it is heard", lambda: "maintenance_changed" in pool.events())
    pool.alarm("first", "second")
    assert pool.steppe("maintenance", "off") == "messages are sent\n"
    eventually("mail", lambda: pool.mailed("second"), 150)


def test_what_is_over_is_told(pool: Pool) -> None:
    pool.alarm()
    eventually("mail", lambda: pool.mailed("OVER  first") and pool.mailed("OVER  second"), 150)
