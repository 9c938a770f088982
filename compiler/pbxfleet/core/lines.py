"""What two lists of lines have in common, in time that is bounded also where most lines are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

MOST_PAIRS = 20_000  # of equal lines: with more of them an exact answer takes seconds


def matched(
    before: Sequence[str], after: Sequence[str], *, in_place: bool = False
) -> SequenceMatcher[str]:
    """The matcher of two lists of lines.

    It tries each line with every equal one, so of files that repeat a few lines a hundred times it
    takes frequent lines only beside others that match; or, `in_place`, each line only with the one that
    has the same number, if there are as many of both.
    """
    here, there = Counter(before), Counter(after)
    if sum(count * there[line] for line, count in here.items()) <= MOST_PAIRS:
        return SequenceMatcher(None, before, after, autojunk=False)
    if in_place and len(before) == len(after):
        old, new = _numbered(before), _numbered(after)
        return SequenceMatcher(None, old, new, autojunk=False)
    return SequenceMatcher(None, before, after, autojunk=True)


def _numbered(lines: Sequence[str]) -> list[str]:
    return [f"{number} {line}" for number, line in enumerate(lines)]
