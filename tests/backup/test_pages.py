"""The examples of the pages about backups: the bad ones give their code, the good ones give none."""

from __future__ import annotations

import pytest

from pbxfleet.core.diagnostics import Severity
from support.pages import PAGES, diagnose, examples, found_in_bad_example, laid_over

CODES = sorted(page.stem for page in PAGES.glob("BKP*.md"))


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_gives_the_code_at_a_place(code: str) -> None:
    for diagnostic in found_in_bad_example(code):
        assert (diagnostic.severity is Severity.ADVICE) == (code == "BKP107")


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_has_no_error_and_nothing_of_this_family(code: str) -> None:
    _, good = examples(code)
    assert good
    found = diagnose(laid_over(good))
    assert [d for d in found if d.severity is Severity.ERROR or d.code.startswith("BKP")] == []
