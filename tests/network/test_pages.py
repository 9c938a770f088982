"""The examples of the pages about networks: the bad ones give their code, the good ones no error."""

from __future__ import annotations

import pytest

from support.pages import PAGES, diagnose, examples, found_in_bad_example, laid_over

CODES = sorted(
    page.stem
    for pattern in ("NET2*.md", "FWL*.md")
    for page in PAGES.glob(pattern)
    if not page.stem.startswith("NET22")  # said of a host, not of a file
)


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_gives_the_code(code: str) -> None:
    found_in_bad_example(code)


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_has_no_error(code: str) -> None:
    _, good = examples(code)
    assert good
    found = diagnose(laid_over(good))
    assert [one for one in found if one.severity == "error" or one.code == code] == []
