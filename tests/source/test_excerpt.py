"""How diagnostics look: the mark is under what is meant, and nothing reaches the terminal raw."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.source.excerpt import diagnostics_json, render, summary
from pbxfleet.source.screen import visible, width

FILE = "desired/pbx-a.yaml"


def place(line: int, column: int, length: int = 1) -> Span:
    return Span(FILE, line, column, line, column + length)


def test_the_form_of_a_message() -> None:
    problem = Diagnostic(
        "NET102",
        "port 5060 on 203.0.113.7 is already taken",
        place(14, 10, 4),
        related=((place(6, 10), "first claimed here"),),
        hint="give this instance its own address, or another port",
    )
    text = "\n" * 13 + "    sip: 5060\n"
    assert render([problem], {FILE: text}) == (
        "desired/pbx-a.yaml:14:10: error[NET102]: port 5060 on 203.0.113.7 is already taken\n"
        "   14 |     sip: 5060\n"
        "      |          ^^^^\n"
        "desired/pbx-a.yaml:6:10: note: first claimed here\n"
        "hint: give this instance its own address, or another port\n"
    )


def test_problems_without_a_place_or_a_text_have_no_excerpt() -> None:
    problems = [Diagnostic("SRC101", "b", place(1, 1)), Diagnostic("FMT101", "a")]
    assert render(problems, {}) == (
        "error[FMT101]: a\n\ndesired/pbx-a.yaml:1:1: error[SRC101]: b\n"
    )


@pytest.mark.parametrize(
    ("line", "column", "length", "shown", "mark"),
    [
        ("a: b", 4, 1, "a: b", "   ^"),
        ("\ta:\tb", 5, 1, "    a:  b", "        ^"),
        ("日本: x", 5, 1, "日本: x", "      ^"),
        ("日本: x", 1, 2, "日本: x", "^^^^"),
        ("e\u0301: x", 5, 1, "e\u0301: x", "   ^"),
        ("😀: x", 4, 1, "😀: x", "    ^"),
        ("a\x1b[2J: x", 8, 1, "a\\x1b[2J: x", "          ^"),
        ("a\u202e: x", 2, 1, "a\\u202e: x", " ^^^^^^"),
        ("a: b", 9, 1, "a: b", "    ^"),
        ("\xa0a: b", 1, 1, "\\u00a0a: b", "^^^^^^"),
    ],
)
def test_the_mark_stands_under_what_is_meant(
    line: str, column: int, length: int, shown: str, mark: str
) -> None:
    printed = render([Diagnostic("SRC110", "x", place(1, column, length))], {FILE: line})
    assert printed.splitlines()[1:] == [f"    1 | {shown}", f"      | {mark}"]


def test_long_lines_are_cut_around_the_mark() -> None:
    line = "a" * 500 + "HERE" + "b" * 500
    printed = render([Diagnostic("SRC110", "x", place(1, 501, 4))], {FILE: line}).splitlines()
    at = printed[2].index("^")
    assert printed[1][at : at + 4] == "HERE"
    assert printed[2].count("^") == 4
    assert max(map(len, printed)) < 120
    assert printed[1].startswith("    1 | ...")
    assert printed[1].endswith("...")


def test_a_mark_over_several_lines_ends_with_the_first() -> None:
    problem = Diagnostic("SRC110", "x", Span(FILE, 1, 4, 3, 2))
    assert render([problem], {FILE: "a: [1,\r\n2,\r\n]"}).splitlines()[2] == "      |    ^^^"


def test_messages_are_as_harmless_as_lines() -> None:
    problem = Diagnostic("SRC110", 'unknown "\x1b[31m\n"', place(1, 1), hint="\x07")
    assert render([problem], {}) == (
        'desired/pbx-a.yaml:1:1: error[SRC110]: unknown "\\x1b[31m\\x0a"\nhint: \\x07\n'
    )


def test_colour_is_an_addition() -> None:
    problem = Diagnostic("SRC110", "x", place(1, 1))
    printed = render([problem], {FILE: "a"}, colour=True)
    assert printed == (
        "desired/pbx-a.yaml:1:1: \x1b[1;31merror[SRC110]\x1b[0m: x\n"
        "    1 | a\n      | \x1b[1;31m^\x1b[0m\n"
    )


@given(st.text(), st.integers(1, 50), st.integers(0, 50))
def test_any_line_can_be_shown(line: str, column: int, length: int) -> None:
    printed = render([Diagnostic("SRC110", "x", place(1, column, length))], {FILE: line})
    assert all(
        part.isprintable() or set(part) & set("\u200c\u200d") for part in printed.split("\n")
    )


@given(st.text())
def test_visible_text_is_one_line_of_what_can_be_printed(text: str) -> None:
    shown = visible(text)
    assert shown.replace("\t", "").replace("\u200c", "").replace("\u200d", "").isprintable()
    assert width(shown) >= 0


def test_summary() -> None:
    error = Diagnostic("SRC110", "x", place(1, 1))
    other = Diagnostic("SRC110", "x", Span("desired/fleet.toml", 1, 1, 1, 1))
    warning = Diagnostic("FMT113", "x", place(1, 1), Severity.WARNING)
    advice = Diagnostic("ADV101", "x", None, Severity.ADVICE)
    assert summary([]) == ""
    assert summary([error]) == "1 error in 1 file"
    assert summary([error, other, error, warning]) == "2 errors, 1 warning in 2 files"
    assert summary([advice]) == "1 piece of advice"


def test_diagnostics_as_data() -> None:
    problem = Diagnostic("SRC112", "x", place(2, 3, 4), related=((place(1, 1), "first"),), hint="h")
    assert diagnostics_json([problem, Diagnostic("FMT101", "y")]) == [
        {
            "code": "FMT101", "severity": "error", "message": "y", "file": None, "line": None,
            "column": None, "end_line": None, "end_column": None, "related": [], "hint": "",
        },
        {
            "code": "SRC112", "severity": "error", "message": "x", "file": FILE, "line": 2,
            "column": 3, "end_line": 2, "end_column": 7,
            "related": [{
                "file": FILE, "line": 1, "column": 1, "end_line": 1, "end_column": 2,
                "message": "first",
            }],
            "hint": "h",
        },
    ]  # fmt: skip
