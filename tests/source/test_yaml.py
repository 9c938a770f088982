"""YAML: every plain scalar is text as it stands, and has its place."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.source.load import load
from pbxfleet.source.nodes import Kind, ScalarNode
from pbxfleet.source.text import SourceText
from pbxfleet.source.yaml_reader import read_yaml
from support.nodes import all_nodes, all_spans, lies_in, plain, slice_at

FILE = "desired/instances/acme.yaml"

# Everything here is another value, or an error, to a YAML 1.1 loader.
SURPRISES = [
    "off", "on", "NO", "yes", "y", "22:22", "1.10", "0123", "1e3", "1_000", "0x1F", "0o17",
    "2024-01-02", "~", "null", "true", "+1", ".5", ".inf", "=", "12:30:45",
    "0b1", "1.", "203.0.113.10:80", "::1", "a:b", "a#b", "-1", "- x"[2:],
]  # fmt: skip


@pytest.mark.parametrize("text", SURPRISES)
def test_plain_scalars_are_text_as_written(text: str) -> None:
    for document in (f"{text}: {text}\n", f"{{{text}: [{text}, x]}}\n"):
        if "::1" in text and document.startswith("{"):
            continue  # in braces a colon needs quotes
        root = load(FILE, document.encode()).value
        assert root is not None
        (entry,) = root.entries
        assert entry.key == text
        first = next(n for n in all_nodes(entry.node) if isinstance(n, ScalarNode))
        assert (first.text, first.kind, first.value) == (text, Kind.PLAIN, None)
        assert slice_at(document, first.span) == slice_at(document, entry.key_span) == text


def test_quoted_scalars_are_told_from_plain_ones() -> None:
    root = load(FILE, b"a: 'off'\nb: \"1\"\nc: |\n  x\nd: >-\n  y\n  z\ne: off\n").value
    assert root is not None
    assert plain(root) == {
        "a": ("quoted", "off"),
        "b": ("quoted", "1"),
        "c": ("quoted", "x\n"),
        "d": ("quoted", "y z"),
        "e": ("plain", "off"),
    }


def test_places_count_characters() -> None:
    text = '"é": 😀 b\r\nключ:\r\n  - "ü"\r\n  - {日本: x}\r\n# end\r\n'
    root = load(FILE, b"\xef\xbb\xbf" + text.encode()).value
    assert root is not None
    assert [slice_at(text, span) for span in all_spans(root)][1:] == [
        '"é"',
        "ключ",
        "😀 b",
        '- "ü"\r\n  - {日本: x}',
        '"ü"',
        "{日本: x}",
        "日本",
        "x",
    ]


SAME_BY_BOTH = [
    "a: 1\nb:\n  c: [x, 'y', {z: 1}]\n  d:\n  - e\n  - f: g\n    h: i\n\n# end\n",
    "a: |\n  block\n\n  text\nb: >\n  folded\n  text\nc: plain\n  on two lines\n",
    '---\na: "\\u00e9\\x41"\n...\n',
    "? a\n: b\n",
    "a:\nb:\n",
    "😀: é\r\nb: 日本\r\n",
    "a: {}\nb: []\n",
    "a: &x 1\nb: *x\n",
    "a: !t x\na: 2\n",
    "a: 1\n---\nb: 2\n",
    "[a]: b\n",
    "a: [1, 2\n",
    "a:\n\tb: 1\n",
    'a: "x\n',
    "a: b: c\n",
]


@pytest.mark.parametrize("text", SAME_BY_BOTH)
def test_the_parser_without_libyaml_reads_the_same(text: str) -> None:
    source = SourceText(FILE, text)
    with_c, without = read_yaml(source), read_yaml(source, yaml.SafeLoader)
    assert with_c.value == without.value
    assert [d.code for d in with_c.diagnostics] == [d.code for d in without.diagnostics]


PIECES = [
    "a", "b", ":", ": ", "- ", "\n", "\n  ", "\n\t", " ", "[", "]", "{", "}", ",", '"', "'", "|",
    ">",    "&x ", "*x", "!t ", "<<: ", "? ", "#", "---\n", "...\n", "%YAML 1.1\n", "é", "😀",
    "\r\n", "\\", "~",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_places_lie_in_the_text(text: str) -> None:
    read = load(FILE, text.encode())
    assert (read.value is None) == bool(read.errors)
    places = [d.span for d in read.diagnostics if d.span]
    places += [span for d in read.diagnostics for span, _ in d.related]
    if read.value is not None:
        places += all_spans(read.value)
    assert [span for span in places if not lies_in(text, span)] == []


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_slices_of_one_line_values_parse_to_them(text: str) -> None:
    root = load(FILE, text.encode()).value
    for node in all_nodes(root) if root is not None else ():
        piece = slice_at(text, node.span)
        if isinstance(node, ScalarNode) and piece and node.span.line == node.span.end_line:
            again = load(FILE, f"k: {piece}".encode())
            assert again.value is not None
            assert plain(again.value) == {"k": plain(node)}


def test_a_file_of_nothing_but_mistakes_has_a_list_that_ends() -> None:
    found = load(FILE, ("a: &a [x]\n" + "".join(f"k{i}: *a\n" for i in range(80))).encode()).errors
    assert len(found) == 50
    assert found[-1].hint.endswith("; the rest of the file was not read")
