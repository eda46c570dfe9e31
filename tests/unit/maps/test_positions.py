"""Lines of values in TOML and JSON of every shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from pamt.maps.decode import Path, spell
from pamt.maps.positions import locate

TOML = '''\
# a comment with [[memory]] and "quotes
top = 1 # line 2

"quoted key" = 2
'literal # key' = 3
"esc\\u0061pe" = 4
many = """
[[memory]]
x = "1"
"""" # a quote before the three
other = \'\'\'
\'\' not yet
\'\'\'\'
dotted.inner . deep = 12.5
date = 1979-05-27 07:32:00.5
list = [ # opened here
  [1, 2,
   3], # }
  { a = 1, b = { c = "]" }, "d.e" = [ 1.5, 2 ] },

  "x", ]
after = {}

[table]
k = 1
[table.sub."a.b"]
k = 2
[[memory]]
start = 0
[[memory]]

[memory.inner]
k = 3
[[memory.list]]
[[memory.list]]
k = 4
[ spaced . header ]
k = 5
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("top",), 2),
        (("quoted key",), 4),
        (("literal # key",), 5),
        (("escape",), 6),
        (("many",), 7),
        (("other",), 11),
        (("dotted",), 14),
        (("dotted", "inner", "deep"), 14),
        (("date",), 15),
        (("list",), 16),
        (("list", 0), 17),
        (("list", 0, 1), 17),
        (("list", 0, 2), 18),
        (("list", 1), 19),
        (("list", 1, "b", "c"), 19),
        (("list", 1, "d.e", 1), 19),
        (("list", 2), 21),
        (("list", 9), 16),
        (("after",), 22),
        (("table",), 24),
        (("table", "k"), 25),
        (("table", "sub", "a.b"), 26),
        (("table", "sub", "a.b", "k"), 27),
        (("memory",), 28),
        (("memory", 0), 28),
        (("memory", 0, "start"), 29),
        (("memory", 1), 30),
        (("memory", 1, "inner", "k"), 33),
        (("memory", 1, "list", 0), 34),
        (("memory", 1, "list", 1, "k"), 36),
        (("memory", 1, "nothing", "there"), 30),
        (("spaced", "header", "k"), 38),
        (("nowhere",), 1),
    ],
)
def test_lines_of_toml(path: Path, line: int) -> None:
    tomli.loads(TOML)
    assert locate(TOML, "toml", {path}) == {path: line}
    assert locate(TOML.replace("\n", "\r\n"), "toml", {path}) == {path: line}


JSON = """{
  "a": [1, {"b": "x, [\\"y\\": 2",
    "c": []}, [
      [], 3]],

  "d\\u0065": {}, "e": {
    "f": null}
}"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("a", 0), 2),
        (("a", 1, "b"), 2),
        (("a", 1, "c"), 3),
        (("a", 2), 3),
        (("a", 2, 0), 4),
        (("a", 2, 1), 4),
        (("de",), 6),
        (("e",), 6),
        (("e", "f"), 7),
        (("e", "g"), 6),
        (("a", 1, "c", 0), 3),
    ],
)
def test_lines_of_json(path: Path, line: int) -> None:
    json.loads(JSON)
    assert locate(JSON, "json", {path}) == {path: line}


values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=15,
)


def leaves(value: Any, path: Path = ()) -> dict[Path, Any]:
    """Every path of a document, in the order of the text."""
    found: dict[Path, Any] = {path: value}
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for step, item in pairs:
        found |= leaves(item, (*path, step))
    return found


@given(document=st.dictionaries(st.text(max_size=3), values, max_size=3))
def test_every_path_of_any_json(document: dict[str, Any]) -> None:
    """Written one value a line, the n-th path in order stands on its own line."""
    text = json.dumps(document, indent=1)
    paths = leaves(document)
    lines = locate(text, "json", set(paths))
    shown = text.split("\n")
    for path, value in paths.items():
        if not path:
            continue
        line = shown[lines[path] - 1].strip()
        start = (
            line.removeprefix(f"{json.dumps(path[-1])}: ") if isinstance(path[-1], str) else line
        )
        wanted = json.dumps(value, indent=1).split("\n")[0]
        assert start.removesuffix(",") == wanted
    order = [lines[path] for path in paths]
    assert order[1:] == sorted(set(order[1:]))


def test_spelling_a_path() -> None:
    assert spell(("memory", 3, "end")) == "memory[3].end"
    assert spell(("a.b", 0, "\n")) == '"a.b"[0]."\\n"'
    assert spell(()) == ""
