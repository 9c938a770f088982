"""A diff as a comment: it fits, it says how much is left out, and nothing that was written is markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.revisions import RevisionDiff
from pbxfleet.model.target import Impact
from pbxfleet.report.diff_html import diff_html
from pbxfleet.report.diff_limits import LIMITS, Limit
from pbxfleet.report.diff_markdown import MARKER, PLAIN_MARKER, diff_markdown, full_markdown
from support.diffs import diff_of, effect

FORGES = sorted(LIMITS)


def thousand(*, alike: bool) -> RevisionDiff:
    """1,000 instances on 25 hosts; all with names of customers, which make no ranges."""
    words = ("amber", "birch", "cedar", "delta", "ember", "flint", "grove", "haven")
    return diff_of(
        [
            effect(
                f"h{n // 40}",
                f"{words[n % 8]}-{words[n // 8 % 8]}-{words[n // 64 % 8]}-{n // 512}",
                [("log_level", "5", "6" if alike else str(n)), ("sys_name", None, f"PBX {n}")][
                    : 1 if alike else 2
                ],
            )
            for n in range(1000)
        ]
    )


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("alike", [True, False])
def test_a_change_of_a_thousand_instances_fits(forge: str, alike: bool) -> None:
    limit = LIMITS[forge]
    found = thousand(alike=alike)
    text = diff_markdown(found, limit, "diff.md")
    assert limit.size(text) <= limit.most
    assert text.startswith(MARKER if limit.html else PLAIN_MARKER)
    assert "1000 instances restart" in text
    if alike:
        assert "log_level: 6" in text
        assert "without details" not in text


def test_what_is_cut_is_counted() -> None:
    found = thousand(alike=False)
    limit = LIMITS["bitbucket"]
    text = diff_markdown(found, limit, "diff.md")
    told = sum(1 for e in found.effects if f"`{e.instance}`" in text)
    cut = re.search(r"(\d+) blocks without details; (\d+) more blocks left out: (.*)", text)
    assert cut is not None
    in_full = text.count("```diff")
    assert in_full + int(cut[1]) == told
    assert told + int(cut[2]) == 1000
    assert cut[3] == "full text in `diff.md`"
    whole = full_markdown(found)
    assert all(e.instance in whole for e in found.effects)


@given(st.integers(1000, 6000), st.integers(1, 60), st.booleans())
def test_any_limit_is_kept(most: int, count: int, html: bool) -> None:
    found = diff_of([effect("h", f"i{n}ä", [("f", "1", "x" * n)]) for n in range(count)])
    for in_bytes in (True, False):
        limit = Limit(most, in_bytes, html, "")
        assert limit.size(diff_markdown(found, limit)) <= most


MARKS = ["```", "````", "`", "</details>", "</summary>", "<script>", "@all", "#1", "-->", "|"]
LINKS = ["![x](http://example.net)", "[a](b)", "**", "<!-- pbxfleet diff -->", "~~~", "&lt;"]
BREAKS = ["\n", "\n\n", "\r", "\x1b[31m", "\u2028", "{", "}", "\\", "- ", "# ", "a", "ä"]
EVIL = st.sampled_from([*MARKS, *LINKS, *BREAKS])
TEXT = st.lists(EVIL, min_size=1, max_size=6).map("".join)


def without_code(text: str, *, html: bool) -> str:
    """Markdown as a forge reads it: what is left once code is taken out, which is never interpreted."""
    rest, fence = [], ""
    for line in text.split("\n"):
        opened = re.match(r" {0,3}(`{3,})(diff)?\s*$", line)  # as CommonMark has fences
        if fence:
            if opened and opened[2] is None and len(opened[1]) >= len(fence):
                fence = ""
            continue
        if opened:
            fence = opened[1]
            continue
        rest.append(re.sub(r"<code>[^<]*</code>", "CODE", line) if html else line)
    assert not fence, "a fence is not closed"
    spans = r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)"
    return "\n".join(re.sub(spans, "CODE", line) for line in rest)


@pytest.mark.parametrize("forge", FORGES)
@given(name=TEXT, host=TEXT, value=TEXT, reason=TEXT)
def test_nothing_that_was_written_is_markup(
    forge: str, name: str, host: str, value: str, reason: str
) -> None:
    limit = LIMITS[forge]
    harmless = diff_of([effect("h", "name", [("f", "1", "2")], Impact.LIVE, "why")])
    evil = diff_of([effect(host, name, [(value, value, name)], Impact.LIVE, reason)])
    evil = evil._replace(before=evil.before._replace(word=name, subject=value, author=host))
    evil = evil._replace(notes=(value,))
    harmless = harmless._replace(notes=("note",))
    shown = without_code(diff_markdown(evil, limit, value), html=limit.html)
    assert shown == without_code(diff_markdown(harmless, limit, "x"), html=limit.html)


@pytest.mark.parametrize("forge", FORGES)
def test_a_long_name_of_backticks_closes_no_fence(forge: str) -> None:
    found = diff_of([effect("h", "`" * 200, [("f", "1", "<b>")])])
    shown = without_code(diff_markdown(found, LIMITS[forge]), html=LIMITS[forge].html)
    assert "<b>" not in shown.replace("<b>update, restart</b>", "")


@given(name=TEXT, value=TEXT)
def test_nothing_that_was_written_is_markup_of_a_page(name: str, value: str) -> None:
    harmless = diff_html(diff_of([effect("h", "name", [("f", "1", "2")])]))
    evil = diff_html(diff_of([effect(name, name, [(value, value, name)], reason=value)]))
    tags = r"<[^>]*>"
    assert re.findall(tags, evil) == re.findall(tags, harmless)
    assert not re.search(r"<script|http", harmless)


@pytest.mark.parametrize(
    ("forge", "most"),
    [("github", 65_536), ("gitlab", 1_000_000), ("bitbucket", 32_767), ("step-summary", 1 << 20)],
)
def test_the_limits_are_those_of_the_forges(forge: str, most: int) -> None:
    assert LIMITS[forge].most == most
    assert LIMITS[forge].source.startswith("https://")
