"""The examples of the pages: the bad ones give their code, the good ones do not."""

from __future__ import annotations

import re

import pytest

from pbxfleet.core.diagnostics import Diagnostic
from support.pages import PAGES, base_fleet, diagnose, examples, found_in_bad_example, laid_over

OURS = re.compile(
    "(LIC|CRT|SUP)1..|FWL11[12]|ADV11[01]|"
    "(REF|REL|BND|NET|RTP|CPU|DIR|SET|FLO|ALC|ADV)10[0-9]|DIR110|FLO11[3-9]"
)
CODES = sorted(page.stem for page in PAGES.glob("*.md") if OURS.fullmatch(page.stem))


def codes(found: tuple[Diagnostic, ...]) -> set[str]:
    return {diagnostic.code for diagnostic in found}


def test_the_base_fleet_is_clean() -> None:
    assert diagnose(base_fleet()) == ()


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_gives_the_code(code: str) -> None:
    found_in_bad_example(code)


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_does_not(code: str) -> None:
    _, good = examples(code)
    assert good
    assert code not in codes(diagnose(laid_over(good)))


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_has_no_other_error(code: str) -> None:
    _, good = examples(code)
    errors = [one for one in diagnose(laid_over(good)) if one.severity == "error"]
    assert errors == []
