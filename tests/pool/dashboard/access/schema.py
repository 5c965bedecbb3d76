"""Enough of JSON Schema to hold answers against the OpenAPI document; a keyword that it does not know fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAYS_NOTHING = {"discriminator", "title", "description", "default"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def problems(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any], at: str = "$") -> list[str]:
    """Where a value is not as the schema says; a field that it does not name is one too."""
    schema = resolved(schema, document)
    unknown = schema.keys() - _SAYS_NOTHING - {
        "type", "properties", "required", "items", "prefixItems", "minItems", "maxItems", "anyOf", "enum", "const",
        "additionalProperties", "minimum", "maximum", "minLength", "maxLength",
        "pattern",
    }  # fmt: skip
    assert not unknown, f"{at}: the test does not know {unknown}"
    if "anyOf" in schema:
        tried = [problems(value, each, document, at) for each in schema["anyOf"]]
        return [] if [] in tried else [f"{at}: none of anyOf: {tried}"]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{at}: {value!r} is not in {schema['enum']}"]
    kind = schema.get("type")
    if kind is not None and (
        not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind not in ("boolean",))
    ):
        return [f"{at}: {value!r} is no {kind}"]
    if kind == "object":
        return _of_object(value, schema, document, at)
    if kind == "array":
        first = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        found = [] if len(value) >= schema.get("minItems", 0) else [f"{at}: too short"]
        for number, each in enumerate(value):
            item = first[number] if number < len(first) else rest
            if item is False:
                found.append(f"{at}: too long")
            elif item is not True:
                found += problems(each, item, document, f"{at}[{number}]")
        return found
    return []


def _of_object(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any], at: str) -> list[str]:
    named = schema.get("properties", {})
    more = schema.get("additionalProperties", not named)
    found = [f"{at}: lacks {name}" for name in schema.get("required", ()) if name not in value]
    for name, each in value.items():
        if name in named:
            found += problems(each, named[name], document, f"{at}.{name}")
        elif more is False:
            found.append(f"{at}: {name} is not in the document")
        elif more is not True:
            found += problems(each, more, document, f"{at}.{name}")
    return found


def resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference leads to."""
    while "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema
