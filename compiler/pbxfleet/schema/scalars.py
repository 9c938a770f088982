"""Readers of single values: text, whole numbers, true or false, words of a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.model.desired import Sourced
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.source.nodes import Kind, MappingNode, Node, ScalarNode, SequenceNode

T = TypeVar("T")

_TEXT_KINDS = (Kind.PLAIN, Kind.QUOTED)
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))  # YAML 1.2 core schema, section 10.3.2
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_YES = frozenset(("yes", "on", "y"))
_NO = frozenset(("no", "off", "n"))

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
_OTHER_SPELLINGS: tuple[tuple[re.Pattern[str], Callable[[str], int]], ...] = (
    (re.compile(r"[+-]?[0-9]+(_[0-9]+)+"), lambda text: int(text.replace("_", ""))),
    (re.compile(r"0x[0-9a-fA-F]{1,15}"), lambda text: int(text, 16)),
    (re.compile(r"0o[0-7]{1,15}"), lambda text: int(text, 8)),
    (re.compile(r"0b[01]{1,50}"), lambda text: int(text, 2)),
    (re.compile(r"[+-]?[0-9]{1,15}\.0+"), lambda text: int(text.partition(".")[0])),
    (re.compile(r"[1-9][eE]\+?[0-9]"), lambda text: int(float(text))),
)
_MOST_DIGITS = 18


def words_for(node: Node) -> str:
    """What a value is, as a message says it."""
    match node:
        case MappingNode():
            return "a table"
        case SequenceNode():
            return "a list"
        case ScalarNode(kind=Kind.FRACTION):
            return "a number with a fraction"
        case ScalarNode(kind=Kind.INTEGER):
            return "a number"
        case ScalarNode(kind=Kind.BOOLEAN):
            return "true or false"
        case ScalarNode(kind=Kind.DATE):
            return "a date"
    return "text"


def scalar(node: Node, wanted: str) -> ScalarNode:
    """The node if it is one value. Problems: FMT106 (list or table), FMT110 (nothing is written)."""
    if not isinstance(node, ScalarNode):
        raise problem("FMT106", f"{KEY} must be {wanted}, not {words_for(node)}")
    if node.kind is Kind.PLAIN and node.text in _NULLS:
        quoted = f'; for the text {node.text} write "{node.text}"'
        hint = f"write {wanted}, or remove it{quoted if node.text and 'text' in wanted else ''}"
        raise problem("FMT110", f"{KEY} has no value", hint=hint)
    return node


def text_of(node: Node, wanted: str = "text") -> ScalarNode:
    """The node if it is text on one line; a YAML scalar without quotes is. Problems: also FMT124."""
    found = scalar(node, wanted)
    if found.kind not in _TEXT_KINDS:
        what = words_for(found)
        hint = (
            "" if wanted.startswith('"') else f'write "{found.text}"'
        )  # of fixed words it is none
        raise problem("FMT106", f"{KEY} must be {wanted}, not {what}", hint=hint)
    if not found.text or found.text != found.text.strip():
        what = "has blanks around it" if found.text else "is empty"
        raise problem("FMT124", f"{KEY} {what}", hint=f"write {wanted}")
    if not found.text.isprintable():
        raise problem("FMT124", f"{KEY} holds characters that cannot be printed")
    return found


def text(node: Node) -> Sourced[str]:
    """Text on one line, not empty."""
    found = text_of(node)
    return Sourced(found.text, found.span)


def is_whole(node: ScalarNode) -> bool:
    """Whether a value is written as a number: an integer, or unquoted text that starts like one."""
    if node.kind is Kind.PLAIN:
        return _WHOLE.fullmatch(node.text) is not None or _spelled(node.text) is not None
    return node.kind in (Kind.INTEGER, Kind.FRACTION)


def whole(low: int, high: int, wanted: str = "") -> Callable[[Node], Sourced[int]]:
    """A reader of whole numbers from `low` to `high`. Problems: FMT107 (spelling), FMT109 (range)."""
    wanted = wanted or f"a whole number from {low} to {high}"

    def read(node: Node) -> Sourced[int]:
        found = scalar(node, wanted)
        value = _whole_value(found, wanted)
        if not low <= value <= high:
            raise problem("FMT109", f"{KEY} must be {wanted}, not {found.text}")
        return Sourced(value, found.span)

    return read


def _whole_value(node: ScalarNode, wanted: str) -> int:
    if node.kind is Kind.INTEGER:
        return int(node.value or 0)
    message = f"{KEY} must be {wanted}"
    if node.kind is Kind.QUOTED:
        hint = f"write {node.text} without quotes" if _WHOLE.fullmatch(node.text) else ""
        raise problem("FMT107", f"{message}, not text", hint=hint)
    if node.kind is Kind.PLAIN and _WHOLE.fullmatch(node.text):
        return int(node.text[: _MOST_DIGITS + 1])
    raise problem("FMT107", message, hint=_spelled(node.text) or "")


def _spelled(text: str) -> str | None:
    """What to write instead of another spelling of a whole number, None if it is none."""
    if len(text) > 60:
        return None
    if _LEADING_ZERO.fullmatch(text):
        return f'write {int(text)} or "{text}"'
    for pattern, value in _OTHER_SPELLINGS:
        if pattern.fullmatch(text):
            return f"write {value(text)}"
    return None


def truth(node: Node) -> Sourced[bool]:
    """True or false. Problems: FMT108."""
    found = scalar(node, "true or false")
    if found.kind is Kind.BOOLEAN:
        return Sourced(bool(found.value), found.span)
    if found.kind is Kind.PLAIN and found.text in _TRUE | _FALSE:
        return Sourced(found.text in _TRUE, found.span)
    meant = {**dict.fromkeys(_TRUE | _YES, "true"), **dict.fromkeys(_FALSE | _NO, "false")}
    hint = meant.get(found.text) or meant.get(found.text.lower())
    raise problem(
        "FMT108",
        f"{KEY} must be true or false",
        hint=f"write {hint} without quotes" if hint else "",
    )


def truth_word(text: str) -> str:
    """`true` or `false` for every spelling that YAML 1.2 has for them; other text as it is."""
    return text.lower() if text in _TRUE | _FALSE else text


def one_of(choices: Iterable[T]) -> Callable[[Node], Sourced[T]]:
    """A reader of the words of a StrEnum. Problems: FMT108, with the nearest word."""
    known = {str(choice): choice for choice in choices}
    wanted = quoted_choice(known)

    def read(node: Node) -> Sourced[T]:
        found = text_of(node, wanted)
        if found.text not in known:
            raise problem(
                "FMT108",
                f'{KEY} must be {wanted}, not "{found.text}"',
                hint=did_you_mean(found.text, known),
            )
        return Sourced(known[found.text], found.span)

    return read


def quoted_choice(words: Iterable[str]) -> str:
    """`"a", "b" or "c"`."""
    *most, last = (f'"{word}"' for word in words)
    return f"{', '.join(most)} or {last}" if most else last
