"""Merge declared elements into a live pbx.xml: the bytes that are there now, and nothing else changed."""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedResource
from pbxfleet.model.elements import needs_edit
from pbxfleet.model.target import Field
from pbxfleet.pbx.pbx_xml import PbxXml, PbxXmlError, edit, read

Edits = dict[str, str | None]


def merge(
    host: Host, path: HostPath, fields: Sequence[Field], before: AppliedResource | None
) -> Edits:
    """Bring the declared elements of the file at `path` to their values; the instance must be stopped.

    Returns the inverse edits. Nothing is written when every element is as declared already.
    """
    content = _content(host, path)
    try:
        document = read(content)
        edits = _edits(document, fields, before)
        changed = edit(content, edits) if edits else content
    except PbxXmlError as error:
        raise HostError(f"{path}:{error.line}:{error.column}", error.message) from error
    if changed != content:
        host.write(path, changed, None, "")
    return {name: _value(document, name) for name in edits}


def put_back(host: Host, path: HostPath, inverse: Edits) -> None:
    """Undo a merge on the bytes that are there now, so that what others wrote since is kept."""
    content = _content(host, path)
    try:
        changed = edit(content, inverse) if inverse else content
    except PbxXmlError as error:
        raise HostError(f"{path}:{error.line}:{error.column}", error.message) from error
    if changed != content:
        host.write(path, changed, None, "")


def _content(host: Host, path: HostPath) -> bytes:
    content = host.read(path)
    if content is None:
        raise HostError(path, "the file vanished while the instance was stopped")
    return content


def _edits(document: PbxXml, fields: Sequence[Field], before: AppliedResource | None) -> Edits:
    edits: Edits = {}
    for field in fields:
        element = document.get(field.name)
        known = before is not None and field.name in before.fields
        opaque = element is not None and element.encrypted
        if needs_edit(field, _value(document, field.name), opaque=opaque, known=known):
            edits[field.name] = field.value
    return edits


def _value(document: PbxXml, name: str) -> str | None:
    element = document.get(name)
    return None if element is None else element.value
