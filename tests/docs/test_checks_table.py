"""The table of what is proven is complete: fifteen rows, and every code in it has a page."""

from __future__ import annotations

import re

from support.pages import codes
from support.tree import ROOT

TABLE = (ROOT / "docs" / "reference" / "checks.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", TABLE, flags=re.M)
# Families that judge what people wrote about hosts and instances.
JUDGING = re.compile("(BND|RTP|CPU|LIC|CRT)1..|DIR10[2-8]|NET10.|ADV10[4-9]|ADV11.")


def test_every_check_has_a_row() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 16))


def test_every_row_has_codes_that_exist() -> None:
    for number, _, listed in ROWS:
        named = listed.split(", ")
        assert named and set(named) <= set(codes()), number


def test_every_check_of_a_host_is_in_a_row() -> None:
    named = {code for _, _, listed in ROWS for code in listed.split(", ")}
    assert {code for code in codes() if JUDGING.fullmatch(code)} - named == set()
