"""Whatever the bytes are: nodes or a diagnostic in the right place, and never for long."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.source.load import load, unreadable
from pbxfleet.source.text import MAX_FILE_BYTES, display_text
from support.nodes import all_spans, lies_in

SUFFIXES = ["toml", "yaml"]


@given(st.binary(max_size=200), st.sampled_from(SUFFIXES))
def test_no_bytes_raise(content: bytes, suffix: str) -> None:
    read = load(f"x.{suffix}", content)
    assert (read.value is None) == bool(read.errors)
    text = display_text(content)
    places = [d.span for d in read.diagnostics if d.span]
    assert [span for span in places if not lies_in(text, span)] == []
    if read.value is not None:
        assert [span for span in all_spans(read.value) if not lies_in(text, span)] == []


@given(st.text(max_size=60), st.sampled_from(SUFFIXES))
def test_no_text_raises(text: str, suffix: str) -> None:
    read = load(f"x.{suffix}", text.encode("utf-8", "surrogatepass"))
    assert (read.value is None) == bool(read.errors)


NASTY = {
    "bad byte": (b"a: 1\nb: \xc3\xa9 \xe9\n", "SRC103", (2, 6)),
    "bad byte after a mark": (b"\xef\xbb\xbfa: \xff", "SRC103", (1, 4)),
    "cut character": (b"a: \xf0\x9f\x98", "SRC103", (1, 4)),
    "surrogate": (b"a: \xed\xa0\x80", "SRC103", (1, 4)),
    "UTF-16 with mark": ("a: 1\n".encode("utf-16"), "SRC104", (1, 1)),
    "UTF-16 without mark": ("a: 1\n".encode("utf-16-be"), "SRC104", (1, 1)),
    "UTF-32": ("a: 1\n".encode("utf-32"), "SRC104", (1, 1)),
    "NUL": (b"a: 1\r\nb: \x00\r\n", "SRC105", (2, 4)),
    "escape": ("a: \u65e5\x1b[2J".encode(), "SRC105", (1, 5)),
    "byte-order mark inside": ("a: \ufeff1".encode(), "SRC105", (1, 4)),
    "hidden line end": ("a: x\u2028y".encode(), "SRC105", (1, 5)),
    "reading order": ("a: x\u202ey".encode(), "SRC105", (1, 5)),
    "10 MB": (b"a: 1\n" * 2_000_000, "SRC102", (1, 1)),
}


@pytest.mark.parametrize("case", NASTY)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_not_text_is_told_with_its_place(case: str, suffix: str) -> None:
    content, code, place = NASTY[case]
    (problem,) = load(f"x.{suffix}", content).errors
    assert (problem.code, problem.span and problem.span[1:3]) == (code, place)


DEEP = {
    "yaml brackets": ("yaml", "a: " + "[" * 10_000),
    "yaml closed brackets": ("yaml", "[" * 10_000 + "]" * 10_000),
    "yaml braces": ("yaml", "{a: " * 10_000),
    "yaml keys": ("yaml", "".join(f"{' ' * n}a:\n" for n in range(1_500))),
    "yaml dashes": ("yaml", "- " * 10_000),
    "yaml question marks": ("yaml", "? " * 10_000),
    "toml brackets": ("toml", "a = " + "[" * 10_000 + "]" * 10_000),
    "toml braces": ("toml", "a = " + "{a=" * 10_000),
    "toml dots": ("toml", "a." * 10_000 + "a = 1"),
    "toml quoted dots": ("toml", '"a" . ' * 10_000 + "a = 1"),
    "toml header": ("toml", "[" + "a." * 10_000 + "a]"),
}


@pytest.mark.parametrize("case", DEEP)
def test_endless_nesting_is_given_up(case: str) -> None:
    suffix, text = DEEP[case]
    (problem,) = load(f"x.{suffix}", text.encode()).errors
    assert problem.code == "SRC106"


def test_brackets_in_texts_and_comments_do_not_nest() -> None:
    text = "".join(f"{key} = {value}\n" for key, value in (
        ("a", '"' + "[" * 100 + '"'),
        ("b", "'" + "{" * 100 + "'"),
        ("c", '"""\n' + "[" * 100 + '\\"""" # ' + "[" * 100),
        ("d", "'''" + "[" * 100 + "'''''"),
    ))  # fmt: skip
    assert load("x.toml", text.encode()).diagnostics == ()


MANY = {
    "yaml list": ("yaml", lambda n: "- a\n" * n),
    "yaml keys": ("yaml", lambda n: "".join(f"k{i}: 1\n" for i in range(n))),
    "yaml long text": ("yaml", lambda n: "a: " + "x" * n),
    "yaml flow": ("yaml", lambda n: "a: [" + "{}, " * n + "]"),
    "yaml aliases": ("yaml", lambda n: "a: &a [x]\n" + "".join(f"k{i}: *a\n" for i in range(n))),
    "yaml same key": ("yaml", lambda n: "k: 1\n" * n),
    "toml keys": ("toml", lambda n: "".join(f"k{i} = 1\n" for i in range(n))),
    "toml array": ("toml", lambda n: "a = [" + "1," * n + "]"),
    "toml tables": ("toml", lambda n: "".join(f"[a.k{i}]\n" for i in range(n))),
    "toml array of tables": ("toml", lambda n: "[[a]]\n" * n),
    "toml same key": ("toml", lambda n: "k = 1\n" * n),
    "toml open text": ("toml", lambda n: 'a = """' + '"\\n' * n),
    "toml quotes": ("toml", lambda n: '"' * n),
    "toml escapes": ("toml", lambda n: 'a = "' + "\\n" * n + '"'),
    "toml not ASCII": ("toml", lambda n: 'a = "' + "é" * n + '"'),
}


def calls_of(function: Callable[[], object]) -> int:
    """Number of calls, Python and C, that a function makes: time without a clock."""
    count = 0

    def tick(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(tick)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("case", MANY)
def test_work_grows_with_the_size_and_no_faster(case: str) -> None:
    suffix, text = MANY[case]
    small, large = (text(n).encode() for n in (300, 1200))
    load(f"x.{suffix}", small)  # imports and caches
    few = calls_of(lambda: load(f"x.{suffix}", small))
    many = calls_of(lambda: load(f"x.{suffix}", large))
    assert many <= 4.4 * few + 100


def test_files_below_the_limit_are_read_whatever_they_hold() -> None:
    assert load("x.yaml", b"# " + b"x" * (MAX_FILE_BYTES - 2)).diagnostics == ()
    codes = [load(f"x.{s}", b"a = [" + b"1," * 1_000_000).errors[0].code for s in SUFFIXES]
    assert codes[0] == "SRC107"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only a comment\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_says_nothing_has_no_entries(content: bytes, suffix: str) -> None:
    read = load(f"x.{suffix}", content)
    assert read.diagnostics == ()
    assert read.value is not None
    assert read.value.entries == ()


def test_other_suffixes_and_unreadable_files() -> None:
    assert [d.code for d in load("desired/x.json", b"{}").errors] == ["SRC119"]
    problem = unreadable("desired/fleet.toml", "is a directory")
    assert (problem.code, str(problem.span)) == ("SRC101", "desired/fleet.toml:1:1")
