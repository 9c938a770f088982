"""TOML: the standard parser's values, each at its own place."""

from __future__ import annotations

import datetime
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.source.load import load
from pbxfleet.source.nodes import Kind, MappingNode, Node, ScalarNode, SequenceNode
from support.nodes import all_nodes, all_spans, lies_in, slice_at

FILE = "desired/fleet.toml"

KEYS = ["a", "b", "c-d", "1", "70", "true", '"x y"', "'é'", '"😀\\u00e9"', '""']
SCALARS = [
    "1",
    "+99",
    "-0",
    "0xDEAD_beef",
    "0o17",
    "0b1",
    "1_000",
    "1.5",
    "-1e06",
    "6.6_26e-3_4",
    "inf",
    "-nan",
    "true",
    "false",
    "2024-01-02",
    "07:32:00.999",
    "1979-05-27 07:32:00Z",
    "1979-05-27T00:32:00-07:00",
    '""',
    '"a \\"b\\" \\\\ # \\u00e9"',
    '"😀 wide"',
    "'C:\\no\\escape'",
    "''",
    '"""one\n  two\\\n   three"""',
    '"""ends with quotes"""""',
    "'''raw\n'' [x'''",
    '""""""',
    '"""\r\ncrlf\r\n"""',
]

blanks = st.sampled_from(["", " ", "\t", "  "])
line_ends = st.sampled_from(["\n", "\r\n", " # é comment [\n", "\n\n"])


@st.composite
def dotted(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3))
    return f"{draw(blanks)}.{draw(blanks)}".join(parts)


@st.composite
def inline_tables(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    pairs = draw(st.lists(st.tuples(dotted(), values), max_size=3))
    space = draw(blanks)
    return "{" + ",".join(f"{space}{key}{space}={space}{value}" for key, value in pairs) + " }"


@st.composite
def arrays(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(values, max_size=3))
    gap = draw(st.sampled_from(["", " ", "\n  ", " # in array ]\n"]))
    return "[" + "".join(f"{gap}{item}{gap}," for item in items) + gap + "]"


values = st.recursive(
    st.sampled_from(SCALARS), lambda inner: st.one_of(inline_tables(inner), arrays(inner))
)
statements = st.one_of(
    st.builds("[{}]".format, dotted()),
    st.builds("[[{}]]".format, dotted()),
    st.builds("{} ={}{}".format, dotted(), blanks, values),
    st.just("# comment"),
)
texts = st.lists(st.builds("{}{}".format, statements, line_ends), max_size=8).map("".join)


def same(node: Node, data: Any) -> bool:
    """Whether a node says what the standard parser read."""
    match node:
        case MappingNode():
            return list(data) == [entry.key for entry in node.entries] and all(
                same(entry.node, data[entry.key]) for entry in node.entries
            )
        case SequenceNode():
            return len(node.items) == len(data) and all(map(same, node.items, data))
        case ScalarNode(kind=Kind.QUOTED):
            return node.text == data
        case ScalarNode(kind=Kind.DATE):
            return isinstance(data, datetime.date | datetime.time)
    return repr(node.value) == repr(data)


@given(texts)
def test_values_are_the_standard_parsers_and_slices_parse_to_them(text: str) -> None:
    read = load(FILE, text.encode())
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert read.value is None
        assert read.errors
        assert all(lies_in(text, d.span) for d in read.errors if d.span)
        return
    assert read.diagnostics == ()
    assert read.value is not None
    assert set(data) == {entry.key for entry in read.value.entries}
    for node in all_nodes(read.value):
        piece = slice_at(text, node.span)
        if isinstance(node, MappingNode) and not piece.startswith("{"):
            continue  # a table made by headers or dotted keys is not one piece of text
        if isinstance(node, SequenceNode) and piece.startswith("[["):
            continue
        assert same_unordered(node, tomllib.loads("x = " + piece.replace("\r\n", "\n"))["x"])
    assert same_unordered(read.value, data)
    assert all(lies_in(text, span) for span in all_spans(read.value))


def same_unordered(node: Node, data: Any) -> bool:
    """`same`, where the order of keys may differ: places come in the order of the file."""
    match node:
        case MappingNode():
            return set(data) == {entry.key for entry in node.entries} and all(
                same_unordered(entry.node, data[entry.key]) for entry in node.entries
            )
        case SequenceNode():
            return len(node.items) == len(data) and all(map(same_unordered, node.items, data))
        case _:
            return same(node, data)


CONFLICTS = [
    ("a = 1\na = 2\n", (2, 1), (1, 1)),
    ("[a]\nx = 1\n[a]\ny = 2\n", (3, 2), (1, 2)),
    ("a.b = 1\na = 2\n", (2, 1), (1, 1)),
    ("a = {b = 1}\na.c = 2\n", (2, 1), (1, 1)),
    ("[[a]]\n[a]\n", (2, 2), (1, 3)),
    ("a = [1]\n[[a]]\n", (2, 3), (1, 1)),
    ("[a.b]\nx = 1\n[a]\nb.y = 2\n", (4, 1), (1, 4)),
    ("a = {x = 1, x = 2}\n", (1, 13), (1, 6)),
    ('"a\\u0062" = 1\n\n  ab = 2 # again\n', (3, 3), (1, 1)),
    ("[x]\na = '''\n'''\na = '''\n'''\n", (4, 1), (2, 1)),
    ("a = 1\n[a.b]\n", (2, 2), (1, 5)),
]


@pytest.mark.parametrize(("text", "second", "first"), CONFLICTS)
def test_what_is_written_twice_has_both_places(
    text: str, second: tuple[int, int], first: tuple[int, int]
) -> None:
    (problem,) = load(FILE, text.encode()).errors
    assert problem.code == "SRC112"
    assert problem.span is not None
    assert problem.span[1:3] == second
    assert [span[1:3] for span, _ in problem.related] == [first]


def test_all_that_is_written_twice_is_reported_at_once() -> None:
    errors = load(FILE, b"a=1\na=2\nb=1\n[c]\nb=2\nb=2\n").errors
    assert [(d.code, d.span and d.span.line) for d in errors] == [("SRC112", 2), ("SRC112", 6)]


def test_what_is_written_twice_is_found_before_a_later_mistake() -> None:
    errors = load(FILE, b"a=1\na=2\nb = = 1\n").errors
    assert [(d.code, d.span and d.span.line) for d in errors] == [("SRC112", 2)]


def test_places_count_characters() -> None:
    text = '"é" = "😀"\r\n["日本".x]\r\n"ключ" = {y = [1, "ü"]}\r\n'
    root = load(FILE, b"\xef\xbb\xbf" + text.encode()).value
    assert root is not None
    assert {slice_at(text, span) for span in all_spans(root)} == {
        text,
        '"é"',
        '"😀"',
        '"日本"',
        "x",
        '["日本".x]',
        '"ключ"',
        '{y = [1, "ü"]}',
        "y",
        '[1, "ü"]',
        "1",
        '"ü"',
    }


def test_numbers_dates_and_texts_keep_their_spelling() -> None:
    root = load(FILE, b"a = 0x1F\nb = 1_000\nc = 1.10\nd = 2024-01-02\ne = true\nf = 'x'\n").value
    assert root is not None
    seen = [(n.text, n.kind.value, n.value) for n in all_nodes(root) if isinstance(n, ScalarNode)]
    assert seen == [
        ("0x1F", "integer", 31),
        ("1_000", "integer", 1000),
        ("1.10", "fraction", 1.1),
        ("2024-01-02", "date", None),
        ("true", "boolean", True),
        ("x", "quoted", None),
    ]
