"""Merge declared elements into a live pbx.xml: the bytes that are there now, and nothing else changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedResource, element_digest
from pbxfleet.model.elements import needs_edit, was_written
from pbxfleet.model.journal import PutValuesBack
from pbxfleet.model.target import Field
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
    content = read_content(host, path)
    document = read_document(path, content)
    edits: Edits = {}
    for field in fields:
        element = document.get(field.name)
        known = before is not None and was_written(field.name, before.fields)
        opaque = element is not None and element.encrypted
        if needs_edit(field, value_of(document, field.name), opaque=opaque, known=known):
            edits[field.name] = field.value
    return Merge(path, content, _edited(path, content, edits), edits)


def perform_merge(host: Host, merge: Merge) -> None:
    """Write the merged file; nothing is written when every element is as declared already."""
    if merge.after != merge.before:
        host.write(merge.path, merge.after, None, "")


def undo_merge(host: Host, inverse: PutValuesBack, kept: Callable[[], bytes]) -> str:
    """Put the previous values back into the bytes that are there now; what others wrote is kept.

    An element that is neither as we wrote it nor as it was is somebody else's by now: it is left, and
    named in the answer. `kept` gives the whole file from before, for when nobody else wrote.
    """
    path = inverse.path
    content = read_content(host, path)
    digest = digest_of(content)
    if digest == inverse.before or not inverse.ours:
        return ""
    if digest == inverse.written:
        host.write(path, kept(), None, "")
        return ""
    document, former = read_document(path, content), read_document(path, kept())
    edits: Edits = {}
    left = []
    for name, ours in sorted(inverse.ours.items()):
        now, before = value_of(document, name), value_of(former, name)
        if element_digest(now) == ours:
            edits[name] = before
        elif now != before:
            left.append(name)
    back = _edited(path, content, edits)
    if back != content:
        host.write(path, back, None, "")
    return f"{path}: changed by others since, and left: {', '.join(left)}" if left else ""


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
