"""A configuration file read, and every mistake in it named."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from pool.alert_options import AlertOptions
from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import output_script
from pool.config import CHECKPOINTS_MAX, NODES_MAX, Config
from pool.config_words import MANY, describe, header, sections, toml
from pool.stratum_options import PORTS_MAX

_HOST = re.compile(r"[\w-]+(\.[\w-]+)*|[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")


class Mistake(Struct, frozen=True):
    """One thing wrong in a file. line: from 1; 0 when the thing is missing altogether. key: dotted."""

    file: Path
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else f"{self.file}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigurationError(Exception):
    """The file cannot be used; `mistakes` says why, all of them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


def load(file: Path) -> Config:
    """Read and check a file; relative paths in it are made absolute. Raises ConfigurationError with every mistake."""
    try:
        text = file.read_bytes().decode("utf-8")
        tree = tomllib.loads(text)
    except OSError as error:
        raise _single(file, 0, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _single(file, 1, f"is not UTF-8 text: {error}") from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise _single(file, int(line[1]) if line else 0, f"is not TOML: {error}") from error
    places = _Places(file, text)
    mistakes = [*_section_mistakes(tree, places)]
    if not mistakes:
        mistakes = [*_sense_mistakes(tree, places)]
    if mistakes:
        raise ConfigurationError(mistakes)
    return _absolute(msgspec.convert(tree, Config), file.resolve().parent)


class _Places:
    """Finds the line of a key in a TOML text of plain tables."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self._lines: dict[str, int] = {}
        section, counts = "", dict[str, int]()
        for number, line in enumerate(text.splitlines(), 1):
            if header := re.match(r"\s*(\[\[?)\s*([\w.-]+)\s*\]", line):
                section = header[2]
                if header[1] == "[[":
                    counts[section] = counts.get(section, -1) + 1
                    section = f"{section}[{counts[section]}]"
                self._lines.setdefault(section, number)
            elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line):
                self._lines.setdefault(f"{section}.{key[1]}" if section else key[1], number)

    def mistake(self, key: str, message: str) -> Mistake:
        line = self._lines.get(key) or self._lines.get(key.rpartition(".")[0], 0)
        return Mistake(self.file, line, key, message)


def _section_mistakes(tree: dict[str, Any], places: _Places) -> Iterator[Mistake]:
    known = sections()
    for name, value in tree.items():
        if name not in known:
            yield places.mistake(name, _unknown("section", name, list(known)))
        elif name in MANY:
            yield from _mistakes_of_many(name, value, places)
        elif not isinstance(value, dict):
            yield places.mistake(name, f"must be a section: write [{name}] on a line of its own")
        else:
            yield from _option_mistakes(name, known[name], value, places)
    for part in msgspec.structs.fields(Config):
        if part.required and part.name not in tree:
            yield places.mistake(part.name, f"section {header(part.name)} is missing; `steppe config sample` shows it")


def _mistakes_of_many(name: str, value: Any, places: _Places) -> Iterator[Mistake]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        yield places.mistake(name, f"must be written [[{name}]], with two brackets")
        return
    most = {"node": NODES_MAX, "port": PORTS_MAX, "checkpoint": CHECKPOINTS_MAX}[name]
    if not value or len(value) > most:
        yield places.mistake(name, f"1 to {most} [[{name}]] are supported, {len(value)} are given")
    for index, item in enumerate(value):
        yield from _option_mistakes(f"{name}[{index}]", MANY[name], item, places)


def _option_mistakes(name: str, section: type[Struct], table: dict[str, Any], places: _Places) -> Iterator[Mistake]:
    options = {option.name: option for option in msgspec.structs.fields(section)}
    for key, value in table.items():
        if key not in options:
            yield places.mistake(f"{name}.{key}", _unknown("key", key, list(options)))
            continue
        try:
            msgspec.convert(value, options[key].type)
        except msgspec.ValidationError as error:
            yield places.mistake(f"{name}.{key}", f"{toml(value)} {_reason(error)}. {describe(options[key])}")
    for option in options.values():
        if option.required and option.name not in table:
            yield places.mistake(f"{name}.{option.name}", f"is missing. {describe(option)}")


def _sense_mistakes(tree: dict[str, Any], places: _Places) -> Iterator[Mistake]:
    """What the types cannot say: options that only make sense together."""
    config = msgspec.convert(tree, Config)
    try:
        output_script(config.pool.payout_address, NETWORKS[config.pool.chain])
    except ValueError as error:
        yield places.mistake("pool.payout_address", f"{error}")
    for index, node in enumerate(config.node):
        if bool(node.cookie_file) == bool(node.user or node.password_file):
            yield places.mistake(f"node[{index}]", "give either cookie_file, or user and password_file")
        elif not node.cookie_file and not (node.user and node.password_file):
            yield places.mistake(f"node[{index}]", "user and password_file belong together")
        if any(node.url.rstrip("/") == other.url.rstrip("/") for other in config.node[:index]):
            yield places.mistake(f"node[{index}].url", "this node is listed before; each stands here once")
    yield from _alert_mistakes(config.alerts, places)
    heights = [checkpoint.height for checkpoint in config.checkpoint]
    for index, height in enumerate(heights):
        if height in heights[:index]:
            yield places.mistake(f"checkpoint[{index}].height", f"there is a checkpoint at {height} before this one")
    doors = config.stratum.doors(config.port)
    for index, door in enumerate(doors):
        if not door.difficulty_min <= door.difficulty <= door.difficulty_max:
            yield places.mistake(
                f"port[{index - 1}].difficulty" if index else "stratum.difficulty",
                f"must lie between difficulty_min ({door.difficulty_min:g}) and difficulty_max "
                f"({door.difficulty_max:g})",
            )
    if bool(config.stratum.tls_certificate) != bool(config.stratum.tls_key):
        key = "tls_certificate" if config.stratum.tls_certificate else "tls_key"
        yield places.mistake(f"stratum.{key}", "tls_certificate and tls_key belong together")
    own = config.stratum
    if own.release_seconds < 2 * config.work.refresh_seconds:
        yield places.mistake(
            "stratum.release_seconds",
            f"must be at least twice work.refresh_seconds ({config.work.refresh_seconds:g}): work is that old at times",
        )
    if own.extranonce_range + own.processes > 256:
        yield places.mistake(
            "stratum.processes",
            f"{own.processes} processes from extranonce_range {own.extranonce_range} on end above 255",
        )
    for key, entries in (
        ("stratum.proxy_from", own.proxy_from),
        ("stratum.never_banned", own.never_banned),
        ("web.proxy_from", config.web.proxy_from),
    ):
        for entry in entries:
            try:
                ip_network(entry)
            except ValueError as error:
                yield places.mistake(key, f"{error}; give addresses or networks such as 10.0.0.0/8 or 2001:db8::/32")
    for name in config.web.admin_hosts:
        if not _HOST.fullmatch(name):
            yield places.mistake("web.admin_hosts", f"{name!r} is no host name or address: no scheme, no port, no *")
    if config.web.admin_listen == config.web.listen:
        yield places.mistake("web.admin_listen", "is web.listen too: operators have a listener of their own")
    listening = [(f"port[{index}].listen", [port.listen]) for index, port in enumerate(config.port)]
    for key, listens in (
        ("stratum.listen", config.stratum.listen),
        *listening,
        ("web.listen", [config.web.listen]),
        ("web.admin_listen", [config.web.admin_listen]),
        ("stratum.drain_to", [own.drain_to]),
    ):
        for listen in listens:
            if listen and not 1 <= int(listen.rpartition(":")[2]) <= 65535:
                yield places.mistake(key, f"{listen!r} has no port between 1 and 65535")


def _alert_mistakes(alerts: AlertOptions, places: _Places) -> Iterator[Mistake]:
    mail = {"smtp": alerts.smtp, "email_from": alerts.email_from, "email_to": alerts.email_to}
    if any(mail.values()):
        for key in (key for key, value in mail.items() if not value):
            yield places.mistake(f"alerts.{key}", "smtp, email_from and email_to belong together")
    if alerts.smtp and not 1 <= int(alerts.smtp.rpartition(":")[2]) <= 65535:
        yield places.mistake("alerts.smtp", f"{alerts.smtp!r} has no port between 1 and 65535")
    if bool(alerts.smtp_user) != bool(alerts.smtp_password_file):
        key = "smtp_user" if alerts.smtp_user else "smtp_password_file"
        yield places.mistake(f"alerts.{key}", "smtp_user and smtp_password_file belong together")
    if alerts.smtp_user and alerts.smtp_security == "none" and not _is_this_machine(alerts.smtp.rpartition(":")[0]):
        yield places.mistake("alerts.smtp_security", "a password is not sent in the clear: starttls or tls")


def _is_this_machine(host: str) -> bool:
    return host in ("localhost", "[::1]") or host.startswith("127.")


def _absolute(config: Config, base: Path) -> Config:
    """The same with every path absolute, so that no role depends on the folder it was started in."""

    def path(text: str) -> str:
        return str(base / Path(text).expanduser()) if text else ""

    pool = msgspec.structs.replace(config.pool, data_dir=path(config.pool.data_dir))
    nodes = [
        msgspec.structs.replace(node, cookie_file=path(node.cookie_file), password_file=path(node.password_file))
        for node in config.node
    ]
    stratum = msgspec.structs.replace(
        config.stratum,
        tls_certificate=path(config.stratum.tls_certificate),
        tls_key=path(config.stratum.tls_key),
    )
    alerts = msgspec.structs.replace(
        config.alerts,
        smtp_password_file=path(config.alerts.smtp_password_file),
        webhook_secret_file=path(config.alerts.webhook_secret_file),
    )
    return msgspec.structs.replace(config, pool=pool, node=nodes, stratum=stratum, alerts=alerts)


def _reason(error: msgspec.ValidationError) -> str:
    """msgspec's reason without regular expressions, which say nothing to an operator; the description follows it."""
    text = str(error)
    return "has the wrong form" if "matching regex" in text else f"will not do: {text.partition(' - at ')[0]}"


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return f"there is no such {what}; {hint}"


def _single(file: Path, line: int, message: str) -> ConfigurationError:
    return ConfigurationError([Mistake(file, line, "", message)])
