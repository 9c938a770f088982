"""The reference pbx.xml of a release: dialect and first values of every instance's file."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Outcome, Severity, outcome
from pbxfleet.core.span import Span
from pbxfleet.model.resolved import Reference
from pbxfleet.pbx.binds import rebind
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.pbx.learn import Proposal, learn
from pbxfleet.pbx.roles import CONFIRMED
from pbxfleet.pbx.xml_read import PbxXml, Setting, read
from pbxfleet.pbx.xml_text import NESTED, TWICE, PbxXmlError, decode

__all__ = ["Proposal", "diagnostic", "learn", "part_of", "read_reference", "readable"]

NO_SETTINGS = "XML120"
IN_CLEAR = "XML121"

_CONFIRMED = frozenset(CONFIRMED.values())


def read_reference(file: str, content: bytes) -> Outcome[Reference]:
    """The reference, or why it cannot be used, with exact places (XML101 to XML105, XML110).

    Warns of a file without settings (XML120) and of settings that are there twice (XML106, an error
    if it concerns a listener) and of secrets in clear (XML121); advises about nested settings
    (XML108), which are kept as they are.
    """
    try:
        found = read(content)
    except PbxXmlError as error:
        return Outcome(None, (diagnostic(error, file),))
    settings = {
        setting.name: (setting.value, _span(file, setting)) for setting in reversed(found.settings)
    }
    in_order = {setting.name: settings[setting.name] for setting in found.settings}
    return outcome(Reference(file, content, in_order), _noticed(file, found))


def diagnostic(error: PbxXmlError, file: str) -> Diagnostic:
    """The error as a diagnostic of this file."""
    span = Span(file, error.line, error.column, error.end_line, error.end_column)
    return Diagnostic(error.code, error.message, span, hint=error.hint)


def readable(content: bytes) -> str:
    """The text of a pbx.xml for showing lines of it: as its encoding says, also of a broken file."""
    try:
        return decode(content).text
    except PbxXmlError:
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return "" if wide else content.decode("utf-8", errors="replace").removeprefix("\ufeff")


def part_of(span: Span, value: str, offset: int, length: int) -> Span:
    """Place of `length` characters from `offset` of a setting's value, whose place is `span`.

    The whole of `span` if the value is not written there character by character.
    """
    if span.line != span.end_line or span.end_column - span.column != len(value):
        return span
    start = span.column + offset
    return Span(span.file, span.line, start, span.line, start + length)


def _span(file: str, setting: Setting) -> Span:
    return Span(file, setting.line, setting.column, setting.end_line, setting.end_column)


def _noticed(file: str, found: PbxXml) -> Iterator[Diagnostic]:
    if not found.settings:
        yield Diagnostic(
            NO_SETTINGS,
            f"the reference file has no settings below <{found.root}>",
            Span(file, 1, 1, 1, 1),
            Severity.WARNING,
            hint="take the pbx.xml of an installed instance of this release",
        )
    yield from _repeated(file, found)
    for setting in found.settings:
        if setting.value is None and not setting.encrypted:
            yield Diagnostic(
                NESTED,
                f"<{setting.name}> holds other elements and is kept as it is",
                _span(file, setting),
                Severity.ADVICE,
                hint="addresses inside it are not rebound",
            )
        row = SETTINGS.get(setting.name)
        if row is not None and row.secret and setting.value:
            yield Diagnostic(
                IN_CLEAR,
                f"the reference file holds the {setting.name} in clear, and every instance gets it",
                _span(file, setting),
                Severity.WARNING,
                hint="empty the element in the reference file; declare the secret by reference",
            )


def _repeated(file: str, found: PbxXml) -> Iterator[Diagnostic]:
    again = [setting for setting in found.settings if setting is not found.get(setting.name)]
    names = {setting.name for setting in again}
    listeners = {
        setting.name
        for setting in found.settings
        if setting.name in names
        and (setting.name in _CONFIRMED or rebind(setting.value or "", {}).kind != "text")
    }
    for setting in again:
        first = found.get(setting.name)
        yield Diagnostic(
            TWICE,
            f"<{setting.name}> occurs more than once, so it is not clear which one counts",
            _span(file, setting),
            Severity.ERROR if setting.name in listeners else Severity.WARNING,
            ((_span(file, first), "first here"),) if first is not None else (),
            "delete all but one of them from the reference file",
        )
