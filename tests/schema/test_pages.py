"""The examples on the pages of reading and validating: the bad ones give their code, the good do not."""

from __future__ import annotations

import re

import pytest

from support.fleetfiles import read_desired
from support.pages import PAGES, base_fleet, diagnose, examples, laid_over

CODES = sorted(p.stem for p in PAGES.glob("*.md") if re.fullmatch("(SRC|FMT)1[0-9]{2}", p.stem))
# What these are about cannot be written as a file over the base fleet.
PROSE = {"FMT101", "SRC101", "SRC102", "SRC103", "SRC104", "SRC105", "SRC107", "SRC119"}
EXAMPLES = sorted(set(CODES) - PROSE)


def codes(files: dict[str, bytes]) -> list[str]:
    return [found.code for found in read_desired(laid_over(files)).diagnostics]


def test_the_base_fleet_is_clean() -> None:
    assert read_desired(base_fleet()).diagnostics == ()


def test_only_these_pages_have_prose() -> None:
    assert {code for code in CODES if examples(code) == ({}, {})} == PROSE


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_bad_example_gives_its_code_and_no_other(code: str) -> None:
    bad, _ = examples(code)
    assert set(codes(bad)) == {code}


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_good_example_is_good(code: str) -> None:
    _, good = examples(code)
    assert codes(good) == []
    assert [found for found in diagnose(laid_over(good)) if found.severity == "error"] == []
