"""Fold what is alike: the same change in 96 instances is said once, with their names, and can be unfolded.

A fold says what its items have in common as a pattern: text in which `{instance}` and the like stand
for what each of them has of its own. Filling in the own words of an item gives exactly what it said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")
Words = Mapping[str, str]  # what an item has of its own, by the placeholder that stands for it

TRIED = 16  # the most frequent patterns, which every item is held against
RANGE_FROM = 3  # so many consecutive names are a range
RANGE = ".."


class Fold(NamedTuple, Generic[T]):
    """Items that say the same; `pattern` is their essence, in which texts may have placeholders."""

    pattern: Any
    items: tuple[T, ...]

    @property
    def is_general(self) -> bool:
        """Whether the pattern has a placeholder: then it is no item's own text."""
        return bool(filled(self.pattern, _Marked()) != filled(self.pattern, {}))


def fold(
    items: Iterable[T],
    essence: Callable[[T], Hashable],
    words: Callable[[T], Words] = lambda _: {},
) -> tuple[Fold[T], ...]:
    """Items with the same essence together, in order of the first of each; none is lost.

    An essence is text, None or whatever can be compared, or a tuple of these, also nested. Where `words`
    tells what an item has of its own (`{"instance": "acme"}`), essences that differ in nothing else
    fold as well. For each item of a fold `filled(pattern, words(item)) == essence(item)`.
    """
    listed = list(items)
    exact = [escaped(essence(item)) for item in listed]
    own = [words(item) for item in listed]
    general = [
        generalised(essence(item), its) if its else pattern
        for item, its, pattern in zip(listed, own, exact, strict=True)
    ]
    chosen = _chosen(exact, general, own)
    groups: dict[Hashable, list[int]] = {}
    for number, pattern in enumerate(chosen):
        groups.setdefault(pattern, []).append(number)
    return tuple(
        # What a single item says is shown as it is, also where its own name stands in it.
        Fold(exact[group[0]] if len(group) == 1 else p, tuple(listed[n] for n in group))
        for p, group in groups.items()
    )


def unfold(folds: Iterable[Fold[T]], words: Callable[[T], Words]) -> Iterator[tuple[T, Any]]:
    """Every item with its essence, fold by fold: what was folded, from the patterns alone."""
    for found in folds:
        for item in found.items:
            yield item, filled(found.pattern, words(item))


def _chosen(
    exact: Sequence[Hashable], general: Sequence[Hashable], own: Sequence[Words]
) -> list[Hashable]:
    """For each item the pattern that the most items have, among those that say what it says."""
    counts = Counter(exact)
    counts.update(pair[1] for pair in zip(exact, general, strict=True) if pair[0] != pair[1])
    common = [pattern for pattern, count in counts.most_common(TRIED) if count > 1]
    plain = {pattern: filled(pattern, {}) for pattern in set(exact)}
    chosen: list[Hashable] = []
    for literal, pattern, its in zip(exact, general, own, strict=True):
        best = max((literal, pattern), key=lambda p: counts[p])
        for other in common:
            if counts[other] <= counts[best]:
                break
            if filled(other, its) == plain[literal]:
                best = other
                break
        chosen.append(best)
    return chosen


def generalised(essence: Any, words: Words) -> Any:
    """The essence as a pattern: own words that stand by themselves in a text become placeholders.

    `{instance}` is put where the name is no part of a longer word or number; where two own words begin
    at one place the longer counts, of equal ones the first.
    """
    own = [(word, value) for word, value in words.items() if value]
    return _texts(essence, lambda text: _generalised(text, own))


def escaped(essence: Any) -> Any:
    """The essence as a pattern without placeholders."""
    return _texts(essence, _escaped)


def filled(pattern: Any, words: Words) -> Any:
    """The pattern with its placeholders filled in; one that `words` does not have stays as it is."""
    known = words if isinstance(words, _Marked) else _Kept(words)
    return _texts(
        pattern, lambda text: text.format_map(known) if "{" in text or "}" in text else text
    )


def _texts(essence: Any, change: Callable[[str], str]) -> Any:
    """The same structure with every text changed; words of an enumeration are no texts."""
    if type(essence) is str:
        return change(essence)
    if not isinstance(essence, tuple):
        return essence
    parts = [_texts(part, change) for part in essence]
    make = getattr(type(essence), "_make", tuple)  # a NamedTuple stays one
    return make(parts)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _generalised(text: str, own: Sequence[tuple[str, str]]) -> str:
    parts: list[str] = []
    at = 0
    nexts = {word: _place(text, value, 0) for word, value in own}
    while True:
        best: tuple[int, int, str] | None = None
        for word, value in own:
            if 0 <= nexts[word] < at:
                nexts[word] = _place(text, value, at)
            if nexts[word] >= 0 and (best is None or (nexts[word], -len(value)) < best[:2]):
                best = (nexts[word], -len(value), word)
        if best is None:
            return "".join((*parts, _escaped(text[at:])))
        parts += (_escaped(text[at : best[0]]), f"{{{best[2]}}}")
        at = best[0] - best[1]


def _place(text: str, value: str, start: int) -> int:
    """Where `value` stands by itself, from `start` on; -1 for nowhere."""
    at = text.find(value, start)
    while at >= 0:
        end = at + len(value)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return at
        at = text.find(value, at + 1)
    return -1


class _Kept(dict[str, str]):
    def __missing__(self, word: str) -> str:
        return f"{{{word}}}"


class _Marked(dict[str, str]):
    def __missing__(self, word: str) -> str:
        return "\0"  # no text of a fleet has it, so that it cannot be mistaken


def ranges(names: Iterable[str]) -> str:
    """Names in a line, three and more consecutive ones as a range: `acme, inst-01..inst-96`.

    In order of their texts and numbers (`a2` before `a10`), each once. `spread` gives them back, of
    names that have neither `..` nor a comma.
    """
    alike: dict[tuple[str, str], list[str]] = {}
    for name in sorted({*names}, key=natural):
        head, _, tail = _parts(name)
        alike.setdefault((head, tail), []).append(name)
    parts = [part for listed in alike.values() for part in _ranges(listed)]
    return ", ".join(f"{a}{RANGE}{b}" if b else a for a, b in sorted(parts, key=_first))


def _ranges(listed: Sequence[str]) -> Iterator[tuple[str, str]]:
    """First and last of each range of names that differ in one number, "" as the last of a single name."""
    start = 0
    while start < len(listed):
        end = start + 1
        while end < len(listed) and _follows(listed[start], listed[end], end - start):
            end += 1
        if end - start >= RANGE_FROM:
            yield listed[start], listed[end - 1]
        else:
            yield from ((name, "") for name in listed[start:end])
        start = end


def _first(part: tuple[str, str]) -> tuple[object, ...]:
    return natural(part[0])


def spread(text: str) -> tuple[str, ...]:
    """The names that `ranges` put into a line; ValueError where it cannot have been `ranges`."""
    names: list[str] = []
    for part in text.split(", ") if text else ():
        first, _, last = part.partition(RANGE)
        steps = int(_parts(last)[1]) - int(_parts(first)[1]) if last else 0
        names += (first, *(_after(first, step) for step in range(1, steps + 1)))
        if last and names[-1] != last:
            raise ValueError(f"{part!r} is not a range of names")
    return tuple(names)


def natural(name: str) -> tuple[tuple[str | int, ...], str]:
    """Order of names: `a2` before `a10`."""
    parts: list[str | int] = []
    head, digits, tail = _parts(name)
    while digits:
        parts += (tail, int(digits))
        head, digits, tail = _parts(head)
    return tuple(reversed((*parts, tail))), name  # texts and numbers take turns, from a text on


def _follows(first: str, name: str, steps: int) -> bool:
    return bool(_parts(first)[1]) and name == _after(first, steps)


def _after(name: str, steps: int) -> str:
    head, digits, tail = _parts(name)
    return f"{head}{str(int(digits) + steps).zfill(len(digits))}{tail}"


def _parts(name: str) -> tuple[str, str, str]:
    """What stands before the last number of a name, the number, and what follows."""
    end = len(name)
    while end and not ("0" <= name[end - 1] <= "9"):
        end -= 1
    start = end
    while start and "0" <= name[start - 1] <= "9":
        start -= 1
    return name[:start], name[start:end], name[end:]
