"""Merge declared elements into a live pbx.xml: the bytes that are there now, and nothing else changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pbxfleet.apply.swap import Certain, bring, settled
from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedResource, element_digest
from pbxfleet.model.elements import was_written
from pbxfleet.model.journal import PutValuesBack
from pbxfleet.model.target import Field
from pbxfleet.pbx.meaning import must_change, without_spelling
from pbxfleet.pbx.pbx_xml import PbxXml, PbxXmlError, edit, read

Edits = dict[str, str | None]


class Merge(NamedTuple):
    """What a merge is going to do to the file at `path`: `before` becomes `after`.

    `edits` are the elements that change, None for one that is removed.
    """

    path: HostPath
    before: bytes
    after: bytes
    edits: Edits


def prepare_merge(
    host: Host, path: HostPath, fields: Sequence[Field], before: AppliedResource | None
) -> Merge:
    """The merge of the declared elements into the file at `path` as it is now; nothing is written."""
    return settled(host, path, lambda content: merged(path, content, fields, before))[1]


def merged(
    path: HostPath, content: bytes, fields: Sequence[Field], before: AppliedResource | None
) -> Merge:
    """The merge of the declared elements into these bytes; HostError if they do not take it."""
    document = read_document(path, content)
    edits: Edits = {}
    for field in fields:
        element = document.get(field.name)
        known = before is not None and was_written(field.name, before.fields)
        opaque = element is not None and element.encrypted
        if must_change(field, value_of(document, field.name), opaque=opaque, known=known):
            edits[field.name] = field.value
    return Merge(path, content, _edited(path, content, edits), edits)


def undo_merge(
    host: Host, inverse: PutValuesBack, kept: Callable[[], bytes], must_be_stopped: Certain
) -> str:
    """Put the previous values back into the bytes that are there now; what others wrote is kept.

    An element that is neither as we wrote it nor as it was is somebody else's by now: it is left, and
    named in the answer. `kept` gives the whole file from before, for when nobody else wrote.
    """
    left: list[str] = []

    def back(content: bytes) -> bytes:
        left.clear()
        digest = digest_of(content)
        if digest == inverse.before or not inverse.ours:
            return content
        return kept() if digest == inverse.written else _put_back(inverse, content, kept(), left)

    bring(host, inverse.path, back, must_be_stopped)
    names = ", ".join(left)
    return f"{inverse.path}: changed by others since, and left: {names}" if left else ""


def _put_back(inverse: PutValuesBack, content: bytes, former: bytes, left: list[str]) -> bytes:
    path = inverse.path
    document, then = read_document(path, content), read_document(path, former)
    edits: Edits = {}
    for name, ours in sorted(inverse.ours.items()):
        now, before = value_of(document, name), value_of(then, name)
        if meaning_digest(now) == ours:
            edits[name] = before
        elif now != before:
            left.append(name)
    return _edited(path, content, edits)


def meaning_digest(value: str | None) -> str | None:
    """`element_digest` of a value in whichever spelling: the PBX may write ours in its own."""
    return element_digest(None if value is None else without_spelling(value))


def read_content(host: Host, path: HostPath) -> bytes:
    """The bytes of a pbx.xml that has to be there; HostError if it is not."""
    content = host.read(path)
    if content is None:
        raise HostError(path, "the file vanished")
    return content


def read_document(path: HostPath, content: bytes) -> PbxXml:
    """What a pbx.xml says; HostError with the place of what cannot be understood."""
    try:
        return read(content)
    except PbxXmlError as error:
        raise HostError(f"{path}:{error.line}:{error.column}", error.message) from error


def value_of(document: PbxXml, name: str) -> str | None:
    """Text of an element, None if there is none."""
    element = document.get(name)
    return None if element is None else element.value


def _edited(path: HostPath, content: bytes, edits: Edits) -> bytes:
    try:
        return edit(content, edits) if edits else content
    except PbxXmlError as error:
        raise HostError(f"{path}:{error.line}:{error.column}", error.message) from error
