"""What the PBX made of its pbx.xml once it was started on it: accepted, normalised, rejected, vanished."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from pbxfleet.apply.merge import read_document, value_of
from pbxfleet.apply.swap import settled
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.model.applied import element_digest
from pbxfleet.model.runtime import setting_key, spelling_key
from pbxfleet.model.target import ONCE, Field
from pbxfleet.model.verdict import ReadBack, Verdict
from pbxfleet.pbx.meaning import judged
from pbxfleet.pbx.pbx_xml import PbxXml

LOOK_EVERY_S = 0.1
QUIET_S = 0.3  # so long unchanged: whoever rewrites at the start has done so
LONGEST_S = 5.0
SHOWN = 8

NOT_PROVEN = "PLN120"
VANISHED = "PLN125"
NORMALISED = "PLN126"
NOT_ANSWERED = "PLN127"
NOT_TAKEN = "PLN128"
SEVERITY = {
    NOT_PROVEN: "warning",
    VANISHED: "warning",
    NORMALISED: "advice",
    NOT_ANSWERED: "warning",
    NOT_TAKEN: "warning",
}


class Unproven(NamedTuple):
    """Something to say right after our own start; PLN120 is a difference, other codes are not.

    `key` is what the record remembers.
    """

    key: str
    text: str
    code: str = NOT_PROVEN


def read_back(
    host: Host, path: HostPath, fields: Sequence[Field], started_with: bytes
) -> tuple[Unproven, ...]:
    """What is not literally as it was when the instance was started, once nobody writes any more.

    `started_with` is the file of that moment, empty if that is not known. Secrets and encrypted
    elements are only looked for, never compared.
    """
    _wait_until_quiet(host, path)
    document = settled(host, path, lambda content: read_document(path, content))[1]
    names = read_document(path, started_with).names if started_with else frozenset()
    found = [_said(judgement) for judgement in verdicts(document, fields, names)]
    gone = sorted(names - document.names - {f.name for f in fields if f.secret is None})
    return (*(said for said in found if said is not None), *_vanished(gone))


def verdicts(document: PbxXml, fields: Iterable[Field], names: Collection[str]) -> list[ReadBack]:
    """One judgement for each declared element that can be judged; `names` were there at the start."""
    found = (_judge(document, field, names) for field in fields)
    return [judgement for judgement in found if judgement is not None]


def _judge(document: PbxXml, field: Field, names: Collection[str]) -> ReadBack | None:
    element = document.get(field.name)
    value = value_of(document, field.name)
    if field.secret is not None or (element is not None and element.encrypted):
        return None
    if field.ownership in ONCE and (element is not None or field.name not in names):
        return None  # from the start on it is the application's, but it must have got there
    verdict = judged(field, value)
    return ReadBack(field.name, verdict, field.value, value)


def _said(read: ReadBack) -> Unproven | None:
    if read.verdict is Verdict.ACCEPTED:
        return None
    if read.verdict is Verdict.NORMALISED:
        key = spelling_key(read.name, read.observed, element_digest(read.declared))
        text = f"{read.name}: {_shown(read.declared)} is spelled {_shown(read.observed)} by the PBX"
        return Unproven(key, text, NORMALISED)
    return Unproven(
        setting_key(read.name, read.observed),
        f"{read.name}: is {_shown(read.observed)}, declared {_shown(read.declared)}",
    )


def _vanished(names: Sequence[str]) -> list[Unproven]:
    if not names:
        return []
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    text = f"the PBX has dropped elements that were in pbx.xml: {', '.join(names[:SHOWN])}{more}"
    return [Unproven("", text, VANISHED)]


def _wait_until_quiet(host: Host, path: HostPath) -> None:
    """Until the file has not been written for QUIET_S; not for ever, some write all the time."""
    last = host.identity(path)
    quiet_s = waited_s = 0.0
    while quiet_s < QUIET_S and waited_s < LONGEST_S:
        host.pause(LOOK_EVERY_S)
        waited_s += LOOK_EVERY_S
        now = host.identity(path)
        quiet_s = quiet_s + LOOK_EVERY_S if now == last else 0.0
        last = now


def _shown(value: str | None) -> str:
    return "absent" if value is None else value or '""'
