"""What `drift --adopt` proposes, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pbxfleet.model.adopting import Adoption, LeftOut
from pbxfleet.report.summary import counted

SHOWN = 5


def adoptions_text(adoptions: Sequence[Adoption], left_out: Sequence[LeftOut]) -> str:
    """One line for each edit, with its reason, and one for each difference that is left out."""
    lines = [line for adoption in adoptions for line in _lines(adoption)]
    lines += [f"not adopted: {_called(one)}: {one.why}" for one in left_out]
    return "\n".join(lines)


def _lines(adoption: Adoption) -> Iterator[str]:
    names = list(dict.fromkeys(wish.instance for wish in adoption.wishes))
    where = f"{adoption.file}: {'.'.join(adoption.keys)} = {adoption.value!r}"
    yield f"adopted: {where} for {_few(names)} ({adoption.layer} layer: {adoption.why})"
    if adoption.others:
        yield f"  this also changes {_few(adoption.others)}"


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _called(one: LeftOut) -> str:
    of = f"{one.instance} " if one.instance else ""
    return f"{of}{one.resource} {one.name}"


def summary_text(adoptions: Sequence[Adoption], left_out: Sequence[LeftOut]) -> str:
    """The outcome in a sentence."""
    if not adoptions and not left_out:
        return "no drift: there is nothing to adopt"
    done = counted(len(adoptions), "value")
    rest = f", {counted(len(left_out), 'difference')} cannot be declared" if left_out else ""
    return f"{done} to adopt{rest}; then run pbxfleet compile"


def adoptions_data(
    host: str,
    adoptions: Sequence[Adoption],
    left_out: Sequence[LeftOut],
    patch: str,
    branch: tuple[str, str] | None,
) -> dict[str, Any]:
    """The proposal as plain data; `branch` is its name and the id of its commit."""
    return {
        "format": 1,
        "kind": "adopt",
        "outcome": "differences" if left_out else "done",
        "host": host,
        "adopted": [
            {
                "file": one.file,
                "layer": str(one.layer),
                "keys": list(one.keys),
                "value": one.value,
                "why": one.why,
                "instances": list(dict.fromkeys(wish.instance for wish in one.wishes)),
                "names": sorted({wish.name for wish in one.wishes}),
                "others": list(one.others),
            }
            for one in adoptions
        ],
        "left_out": [one._asdict() for one in left_out],
        "patch": patch,
        "branch": None if branch is None else {"name": branch[0], "commit": branch[1]},
    }
