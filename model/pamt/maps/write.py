"""How values are spelled in TOML and JSON: hex addresses, escapes that any reader undoes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Hex", "Value", "json_document", "json_value", "toml_document", "toml_value"]


class Hex(int):
    """An integer that is written in hex: an address, a size, an offset."""

    __slots__ = ()


Value = str | bool | int | Iterable["Value"] | Mapping[str, "Value"]
"""What a file is made of; tuples and lists are arrays, mappings are tables."""

I64_END = 1 << 63

_ESCAPES = {
    **{
        code: f"\\u{code:04x}"
        for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF)
    },
    ord("\b"): "\\b",
    ord("\t"): "\\t",
    ord("\n"): "\\n",
    ord("\f"): "\\f",
    ord("\r"): "\\r",
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}


def toml_string(text: str) -> str:
    """A basic string, on one line."""
    return f'"{text.translate(_ESCAPES)}"'


def toml_value(value: Value) -> str:
    """A value on one line.

    Integers of 2^63 and more become hex strings: TOML promises no more than 64 bits with a sign.
    """
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if value >= I64_END:
            return f'"{value:#x}"'
        return f"{value:#x}" if isinstance(value, Hex) else str(int(value))
    if isinstance(value, Mapping):
        return _toml_inline(value)
    return f"[{', '.join(toml_value(item) for item in value)}]"


def _toml_inline(table: Mapping[str, Value]) -> str:
    return f"{{ {', '.join(f'{key} = {toml_value(item)}' for key, item in table.items())} }}"


def toml_document(table: Mapping[str, Value]) -> str:
    """A whole TOML file: plain values first, then tables and arrays of tables, in the order given.

    An empty array stays a plain value: no header could say it.
    """
    later = {
        key: value
        for key, value in table.items()
        if isinstance(value, Mapping) or _is_tables(value)
    }
    lines = [_toml_key(key, value) for key, value in table.items() if key not in later]
    for key, value in later.items():
        if isinstance(value, Mapping):
            lines.append(f"\n[{key}]\n")
            lines += (_toml_key(inner, item) for inner, item in value.items())
        else:
            lines += _toml_tables(key, value)
    return "".join(lines)


def _is_tables(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _toml_tables(key: str, entries: Value) -> Iterator[str]:
    assert isinstance(entries, list)
    for entry in entries:
        yield f"\n[[{key}]]\n"
        for inner, item in entry.items():
            yield _toml_key(inner, item)


def _toml_key(key: str, value: Value) -> str:
    """One key; a list (not a tuple) takes one line for each entry."""
    if isinstance(value, list) and value:
        entries = "".join(f"  {toml_value(item)},\n" for item in value)
        return f"{key} = [\n{entries}]\n"
    return f"{key} = {toml_value(value)}\n"


def json_value(value: Value) -> str:
    """A value on one line; integers in hex are strings, since JSON has no hex."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f'"{value:#x}"' if isinstance(value, Hex) else str(int(value))
    if isinstance(value, Mapping):
        inside = ", ".join(f"{json.dumps(key)}: {json_value(item)}" for key, item in value.items())
        return f"{{{inside}}}"
    return f"[{', '.join(json_value(item) for item in value)}]"


def json_document(table: Mapping[str, Value]) -> str:
    """A whole JSON file: one line for each key, and for each entry of an array of tables."""
    return "{\n" + ",\n".join(_json_key(key, value) for key, value in table.items()) + "\n}\n"


def _json_key(key: str, value: Value) -> str:
    start = f"  {json.dumps(key)}: "
    if isinstance(value, list) and value:
        return start + "[\n" + ",\n".join(f"    {json_value(item)}" for item in value) + "\n  ]"
    return start + json_value(value)
