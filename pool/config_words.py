"""What there is to configure, in words: of every option its type, its default and what is allowed, as a sample file and
as a page."""

from __future__ import annotations

import json
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Meta, Struct
from msgspec.inspect import type_info

from pool.config import CheckpointOptions, Config, NodeOptions
from pool.stratum_options import PortOptions, StratumOptions


def sample() -> str:
    """A file with every key, commented, with what is allowed and its default. Keys without a default stand open."""
    lines = ["# Steppe: every option there is. Lines that start with # show the default.", ""]
    for name, section in sections().items():
        off = "#" if name in _NONE_BY_DEFAULT else ""
        lines += [f"# {section.__doc__}", f"{off}{header(name)}"]
        for option in msgspec.structs.fields(section):
            lines.append(f"# {describe(option)}")
            if option.required:
                lines.append(f"{off}{option.name} = {_REQUIRED_SAMPLES[f'{name}.{option.name}']}")
            else:
                lines.append(f"#{option.name} = {toml(_default(option, name))}")
        lines.append("")
    return "\n".join(lines)


def page() -> str:
    """docs/configuration.md, whole: every key with its type, default, and what is allowed. Written by scripts/docs."""
    lines = [_PAGE_TOP]
    for name, section in sections().items():
        lines += [
            f"## `{header(name)}`",
            "",
            section.__doc__ or "",
            "",
            "| key | type | default | meaning |",
            "| --- " * 4 + "|",
        ]
        for option in msgspec.structs.fields(section):
            default = "none, must be given" if option.required else f"`{toml(_default(option, name))}`"
            lines.append(f"| `{option.name}` | {_type_word(option)} | {default} | {describe(option)} |")
        lines.append("")
    return "\n".join(lines)


_PAGE_TOP = """\
# Configuration

<!-- Written by scripts/docs from pool/config.py: change that, not this. -->

One file in TOML configures all roles; `steppe config sample` prints one with every key. `steppe check -c FILE` names
each mistake with its line, its key and what is allowed, and ends with exit code 78 if there is one. An unknown section
or key is a mistake.

`data_dir`, `cookie_file`, `tls_certificate`, `tls_key` and the files of passwords and secrets may be relative: they
start at the folder of the file. Other paths, within a URL or in `feed`, should be absolute. The file holds no secret,
only the paths of files that do, so it may be shown; a password in `redis.url` or `database.url` is the exception, and
then it may not.

Some things the types cannot say are checked too: the payout address must be one of the chain; a node has a cookie file,
or a user and a password file, never both; `tls_certificate` and `tls_key` come together; there may be up to eight
`[[node]]`, none twice, and up to eight `[[port]]`; each `[[checkpoint]]` has a height of its own; `release_seconds` is
at least twice `refresh_seconds`; at each port `difficulty` lies between its bounds; ports are from 1 to 65535; lists of
networks hold addresses and networks, the latter without bits behind their prefix; `smtp`, `email_from` and `email_to`
come together, as do `smtp_user` and `smtp_password_file`.
"""

# Values for the keys that have no default, so that the sample is a file that loads once these are changed.
_REQUIRED_SAMPLES = {
    "pool.chain": '"main"',
    "pool.payout_address": '"your bitcoin address"',
    "node.url": '"http://127.0.0.1:8332"',
    "port.listen": '"0.0.0.0:3334"',
    "checkpoint.height": "840000",
    "checkpoint.hash": '"0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5"',
}


def sections() -> dict[str, type[Struct]]:
    """The type of each, by name."""
    return {part.name: MANY.get(part.name, part.type) for part in msgspec.structs.fields(Config)}


def header(name: str) -> str:
    """As a section of that name begins."""
    return f"[[{name}]]" if name in MANY else f"[{name}]"


def _inner(option: msgspec.structs.FieldInfo) -> Any:
    """The type of an option that may be left out (`X | None`), else its own; either way annotated."""
    return next(iter(get_args(get_args(option.type)[0])), option.type) if _may_be_none(option) else option.type


def _may_be_none(option: msgspec.structs.FieldInfo) -> bool:
    return type(None) in get_args(get_args(option.type)[0])


def describe(option: msgspec.structs.FieldInfo) -> str:
    """What an option means, and what is allowed."""
    said, meta = (
        next(item for item in get_args(each)[1:] if isinstance(item, Meta)) for each in (option.type, _inner(option))
    )
    allowed = []
    if (
        get_origin(inner := get_args(_inner(option))[0]) is not None
        and type_info(inner).__class__.__name__ == "LiteralType"
    ):
        allowed.append("one of " + ", ".join(map(str, get_args(inner))))
    if meta.ge is not None and meta.le is not None:
        allowed.append(f"{meta.ge:g} to {meta.le:g}")
    return (said.description or "") + (f" Allowed: {'; '.join(allowed)}." if allowed else "")


def _type_word(option: msgspec.structs.FieldInfo) -> str:
    """The type in words; a choice is text."""
    plain = get_args(_inner(option))[0]
    return "list of text" if get_origin(plain) is list else _TYPE_WORDS.get(plain, "text")


MANY: dict[str, type[Struct]] = {"node": NodeOptions, "port": PortOptions, "checkpoint": CheckpointOptions}
# Of which there is none by default.
_NONE_BY_DEFAULT = ("port", "checkpoint")
_TYPE_WORDS = {bool: "true or false", int: "whole number", float: "number"}


def _default(option: msgspec.structs.FieldInfo, section: str = "") -> Any:
    if section == "port":
        return getattr(StratumOptions(), option.name)
    if option.default_factory is not msgspec.NODEFAULT:
        return option.default_factory()
    return option.default


def toml(value: Any) -> str:
    """A value as TOML writes it; JSON agrees for the few types that options have."""
    return json.dumps(value, default=str)
