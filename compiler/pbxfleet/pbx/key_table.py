"""Names of the settings that one release knows: a text file, one name a line, learned from an instance.

No public source lists the names of any release (https://doc.vodia.com/openapi/vodia-rest-api.yaml has
examples). So the operator's own list is exact: what is not in it, the release does not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pbxfleet.core.diagnostics import Diagnostic, Outcome, outcome
from pbxfleet.core.span import Span
from pbxfleet.model.desired import ReleaseFile
from pbxfleet.model.resolved import KeyTable, Reference
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.pbx.patterns import compiled
from pbxfleet.pbx.xml_read import read

NO_NAME = "SET107"
FOREIGN = "SET108"
NO_TABLE = "REL105"
SHOWN = 3
NAME = r"[^\W\d][\w.\-]*"


def read_key_table(file: str, content: bytes) -> Outcome[KeyTable]:
    """The names in a file; blank lines and what follows a `#` do not count. Problems: SET107."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return outcome(KeyTable(file, {}), [_bad(file, 1, 1, "the file is not UTF-8 text")])
    names: dict[str, Span] = {}
    found: list[Diagnostic] = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        start = line.index(text) + 1
        if compiled(NAME).fullmatch(text) is None:
            found.append(_bad(file, number, start, "this is not the name of a setting", len(text)))
        names.setdefault(text, Span(file, number, start, number, start + len(text)))
    if not names:
        found.append(_bad(file, 1, 1, "there is no name of a setting in this file"))
    return outcome(KeyTable(file, names), found)


def _bad(file: str, line: int, column: int, message: str, length: int = 0) -> Diagnostic:
    return Diagnostic(
        NO_NAME,
        message,
        Span(file, line, column, line, column + length),
        hint="one name a line, as pbxfleet learn --names FILE writes them",
    )


def with_key_table(
    reference: Reference, release: ReleaseFile, file: str, content: bytes | None
) -> tuple[Reference, tuple[Diagnostic, ...]]:
    """The reference file with the names that its release knows, from `content` of `file`.

    Reports a list that is not there (REL105), lines in it that are no names (SET107), and elements
    of the reference file that the release does not know (SET108): they would reach every new instance.
    """
    assert release.settings is not None, "only for a release that names a list"
    if content is None:
        missing = Diagnostic(
            NO_TABLE,
            f"the list of settings of release {release.name} is not there",
            release.settings.origin,
            hint=f"pbxfleet learn --names FILE >{file}",
        )
        return reference, (missing,)
    table = read_key_table(file, content)
    if table.value is None:
        return reference, table.diagnostics
    known = replace(reference, known=table.value)
    return known, (*table.diagnostics, *_foreign(known, table.value, release))


def _foreign(reference: Reference, table: KeyTable, release: ReleaseFile) -> Iterator[Diagnostic]:
    foreign = [(n, at) for n, (_, at) in reference.settings.items() if n not in table.names]
    if foreign:
        names = ", ".join(name for name, _ in foreign[:SHOWN])
        more = f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else ""
        yield Diagnostic(
            FOREIGN,
            f"release {release.name} does not know {names}{more}, says {table.file}",
            foreign[0][1],
            related=tuple((at, "nor this") for _, at in foreign[1:SHOWN]),
            hint="take the reference file of an instance of this release, or learn the list again",
        )


def knows(reference: Reference, name: str) -> bool:
    """Whether a release knows a setting, as far as it can be told: by its list, if it has one.

    Else by the confirmed names and those in its reference file.
    """
    if reference.known is not None:
        return name in reference.known.names
    return name in SETTINGS or name in reference.settings


def names_in(content: bytes) -> tuple[str, ...]:
    """Names of settings in a pbx.xml, or in the JSON object of GET /rest/system/config, sorted.

    ValueError (PbxXmlError among them) if it is neither. Values are not looked at.
    """
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _sorted(setting.name for setting in read(content).settings)
    data = json.loads(content.decode("utf-8-sig"))
    if not isinstance(data, dict) or any(isinstance(value, dict) for value in data.values()):
        raise ValueError("is not one flat JSON object of settings")
    return _sorted(str(name) for name in data)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    found = sorted(set(names))
    if not found:
        raise ValueError("has no settings")
    wrong = next((name for name in found if compiled(NAME).fullmatch(name) is None), None)
    if wrong is not None:
        raise ValueError(f"has {wrong!r}, which is not the name of a setting")
    return tuple(found)
