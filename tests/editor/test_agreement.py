"""check-jsonschema with our schemas and `validate` agree, error by error, on every fleet of the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.schema.layout import Part, lay_out
from pbxfleet.source.load import load
from support.fleetfiles import files_below, read_desired
from support.other_validator import Verdict, is_about, marked, verdicts
from support.pages import PAGES, base_fleet, examples, laid_over
from support.tree import ROOT

# What no schema of one file can say, by code: the words of the message, and why.
ONLY_VALIDATE = {
    "FMT102": ("the file says nothing", "a host file without keys is a table like any other"),
    "FMT106": ("must be text, not a number", "YAML has the same value as text without quotes"),
    "FMT107": (
        "must be (a whole number|a port|the number of a core)",
        "a parser has read another spelling (0x50, 1_000, 08) before the schema sees a number",
    ),
    "FMT108": ("must be true or false", "old YAML parsers read yes and no as truth values"),
    "FMT111": ("cannot be the name of", "the name of a file is not in it"),
    "FMT112": ("has two files", "another file"),
    "FMT115": (
        r'"\.\." is not allowed|cannot contain \{number\}',
        "a pattern without look-around cannot exclude a part",
    ),
    "FMT116": ("stands for every address|of many machines|valid on one link", "kinds of addresses"),
    "FMT117": ("the range ends", "order of two numbers"),
    "FMT118": ("the range ends|is listed twice|Linux has no core", "order and number of cores"),
    "FMT119": ("must be a port", "old YAML parsers read no as they read off"),
    "FMT121": (
        "in several ways|cannot be written in XML",
        "YAML has such numbers as text without quotes; characters that XML lacks",
    ),
    "FMT122": ("is set and unset", "two tables"),
    "FMT124": (
        "begins and ends at|knows no time zone|is no time of the day",
        "order of two times; the time zones of a machine",
    ),
    "FMT126": ("is not the name of a host|is not an address|brackets|ports are", "parts of a URL"),
    "NET205": ("must be a network", "host bits of a network"),
    "BKP105": ("holds a password", "parts of a URL"),
    "SRC113": ("are not allowed", "anchors and aliases are resolved by a parser"),
    "SRC114": ("is not allowed", "tags are resolved by a parser"),
    "SRC117": ("the file asks for YAML", "the version is the parser's"),
    "SRC110": (
        r"a value that starts with \":\" needs quotes",
        "old YAML parsers take [::/0] for a list of texts",
    ),
}


class Case(NamedTuple):
    """One file of one fleet, with the errors that validate finds in it."""

    kind: str
    file: str
    content: bytes
    errors: tuple[Diagnostic, ...]


def fleets() -> Iterator[tuple[str, dict[str, bytes]]]:
    golden = ROOT / "tests" / "golden"
    base = files_below(golden / "broken" / "_base")
    for case in sorted(p for p in (golden / "broken").iterdir() if p.name != "_base"):
        yield f"broken/{case.name}", {**base, **files_below(case)}
    for case in sorted((golden / "at-once").iterdir()):
        yield f"at-once/{case.name}", laid_over(files_below(case))
    for page in sorted(PAGES.glob("*.md")):
        for word, files in zip(("bad", "good"), examples(page.stem), strict=True):
            if files:
                yield f"{page.stem}/{word}", laid_over(files)
    yield "base", base_fleet()
    example = files_below(ROOT / "desired")
    yield "example", {f"desired/{name}": content for name, content in example.items()}


@cache
def cases() -> dict[str, Case]:
    """The distinct files of all fleets."""
    found: dict[str, Case] = {}
    seen = set()
    for name, files in fleets():
        errors = [d for d in read_desired(files).diagnostics if d.severity is Severity.ERROR]
        for (part, _), claims in lay_out(files).files.items():
            for file in claims:
                own = tuple(d for d in errors if d.span is not None and d.span.file == file)
                case = Case(str(part), file, files[file], own)
                if case not in seen:
                    seen.add(case)
                    found[f"{name}:{file}"] = case
    return found


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """The other validator's verdict on each case, by the name of the case."""
    said: dict[str, Verdict] = {}
    for part in Part:
        folder = tmp_path_factory.mktemp(str(part))
        files = {name: c.content for name, c in cases().items() if c.kind == str(part)}
        # The suffix is all that the other program sees of the name.
        said |= verdicts(str(part), files, folder)
    return said


def missed(case: Case, verdict: Verdict) -> list[Diagnostic]:
    """Errors of validate at places where the other program says nothing."""
    root = load(case.file, case.content).value
    if root is None or not verdict.read:
        return [] if verdict.faults or not verdict.read else list(case.errors)
    spans = [span for fault in verdict.faults for span in marked(root, fault)]
    return [e for e in case.errors if not any(is_about(e.span, span) for span in spans)]


def test_no_valid_file_is_refused(other: dict[str, Verdict]) -> None:
    valid = [name for name, case in cases().items() if not case.errors]
    assert len(valid) > 100
    assert {name: other[name] for name in valid if other[name] != Verdict(True, ())} == {}


def test_every_error_that_a_schema_can_say_is_found_by_both(other: dict[str, Verdict]) -> None:
    surprises = [
        (name, error.code, error.message)
        for name, case in cases().items()
        for error in missed(case, other[name])
        if not re.search(ONLY_VALIDATE.get(error.code, ("$^", ""))[0], error.message)
    ]
    assert surprises == []


def test_no_row_is_idle(other: dict[str, Verdict]) -> None:
    needed = {e.code for name, case in cases().items() for e in missed(case, other[name])}
    assert needed == set(ONLY_VALIDATE)


def test_both_find_most(other: dict[str, Verdict]) -> None:
    """A guard of this test itself: the places of both programs really meet."""
    errors = sum(len(case.errors) for case in cases().values())
    lost = sum(len(missed(case, other[name])) for name, case in cases().items())
    assert errors > 200 and lost < errors / 3
