"""The page of the documentation about the API, written from its operations: `scripts/docs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pool.dashboard.access.openapi import TABLE, document, refusals
from pool.dashboard.access.operations import Operation

_INTRODUCTION = """\
# API

What the page shows, and what operators order, for programs: JSON over HTTP below `/api/v1`. The pool serves the same
as an OpenAPI 3.1 document at `/api/v1/openapi.json`, with the form of every answer; a test holds each answer to it.
This page is made from it by `scripts/docs`.

- *Who may.* Without a login there is what `web.public` lists. For the rest send a token,
  `Authorization: Bearer TOKEN`, made by `steppe access make token`
  ([operating](operating.md#who-sees-what-and-may-do-what)); the page uses a session's cookie instead. Who sees one
  account, site or fleet gets of the operations marked *own* what is theirs, and 403 of the others; what is somebody
  else's is 404, as if it were not there.
- *Where.* What changes something is at `web.admin_listen` only; what reads is at both listeners.
- *Changes* are POST and DELETE with `Content-Type: application/json` where nothing else is said; a session needs the
  header `X-CSRF-Token` with what `GET /api/v1/session` says as `csrf`, a token does not. Each is in the log of access,
  before and after.
- *Refusals* are `{"error": {"code", "message", "hint"}}`: a word for programs, what is wrong, how to mend it. A
  parameter that is not known is refused, never ignored.
- *ETags.* Send `If-None-Match` and get 304 while nothing has changed. Answers that are not for everybody have
  `Cache-Control: no-store`.
- *Tables* have `page`, `per_page`, `total` and `rows`; while a source is down, `rows` is null and `unavailable` says
  why.
- Times are Unix milliseconds, amounts satoshis, hashrates hashes per second.
"""


def page() -> str:
    """In Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    said = document("")
    for title, operations in _sections():
        yield f"## {title}"
        yield ""
        for each in operations:
            yield from _operation(each, said)
    yield "## Answers"
    yield ""
    yield "Each field of each answer is in the document; these are the types, and what is said of them."
    yield ""
    for name, schema in sorted(said["components"]["schemas"].items()):
        if text := _one_line(schema.get("description", "")):
            yield from _wrapped(f"- `{name}`: {text}")
    yield ""


def _sections() -> Iterator[tuple[str, list[Operation]]]:
    yield "Reading", [each for each in TABLE if each.method == "GET" and not each.is_admin]
    yield "Sessions", [each for each in TABLE if each.method != "GET" and not each.is_admin]
    yield "For operators", [each for each in TABLE if each.is_admin]


def _operation(each: Operation, said: dict[str, Any]) -> Iterator[str]:
    yield f"### {each.method} {each.path}"
    yield ""
    yield from _wrapped(f"{each.text} {_who(each)}")
    yield ""
    declared = said["paths"][each.path][each.method.lower()]
    for row in declared["parameters"]:
        if row["in"] == "query":
            yield from _wrapped(f"- `{row['name']}`: {row['description']} {_values(row['schema'])}".rstrip())
    if each.body is not None:
        yield from _wrapped(_takes(declared["requestBody"]["content"], said))
    yield from _wrapped(f"- answers {_answer(declared)}; may refuse with {', '.join(map(str, refusals(each)))}")
    yield ""


def _takes(content: dict[str, Any], said: dict[str, Any]) -> str:
    [(media, declared)] = content.items()
    name = declared["schema"].get("$ref", "").rpartition("/")[2]
    if not name:
        return f"- takes {media}"
    fields = said["components"]["schemas"][name].get("properties", {})
    return f"- takes `{name}`: " + (", ".join(f"`{field}`" for field in fields) or "`{}`")


def _who(each: Operation) -> str:
    if each.part == "always":
        return "For everybody."
    if each.is_admin:
        right = f", and tokens that may `{each.right}`" if each.right != "read" else ""
        return f"For operators{right}; at `web.admin_listen`."
    return f"Part `{each.part}`" + ("; *own*." if each.own else ".")


def _answer(declared: dict[str, Any]) -> str:
    content = declared["responses"]["200"]["content"]
    schema = next(iter(content.values()))["schema"]
    named = [each.get("$ref", "").rpartition("/")[2] for each in schema.get("anyOf", [schema])]
    name = "` or `".join(filter(None, named))
    media = [each for each in content if each != "application/json"]
    return " or ".join([*([f"`{name}`"] if name else ["JSON"] if "application/json" in content else []), *media])


def _values(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        values = ", ".join(f"`{value}`" for value in schema["enum"] if value)
        return f"One of {values}." + (f" Default: `{schema['default']}`." if schema.get("default") else "")
    if schema["type"] == "integer" and "default" in schema:
        return f"At most {schema['maximum']}; default {schema['default']}."
    return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _wrapped(text: str, width: int = 116) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = "  " + word if text.startswith("- ") else word
        else:
            line = f"{line} {word}" if line else word
    yield line
