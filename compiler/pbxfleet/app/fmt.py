"""Canonical form of the files that people write."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.app.masking import masked_desired
from pbxfleet.app.reading import FOLDERS, LEDGER, discreet
from pbxfleet.core.diagnostics import Diagnostic, in_order
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.disk import folder_names, is_directory, mode_of_file, read_file, write_file
from pbxfleet.source.load import SUFFIXES, unreadable
from pbxfleet.source.text import display_text
from pbxfleet.source.tidy import tidied


class Formatted(NamedTuple):
    """What was done, or with check would be. `changed` are files by name, `checked` counts all.

    `diagnostics` are about files that were left alone because they are broken; `texts` are theirs.
    """

    changed: tuple[str, ...]
    checked: int
    diagnostics: tuple[Diagnostic, ...]
    texts: Mapping[str, str]


def format_files(repository: str, files: Sequence[str] = (), *, check: bool = False) -> Formatted:
    """Bring files (those named, else all of the fleet) into canonical form; with `check` write nothing.

    Each file is replaced atomically and keeps its mode. The ledger is written by compile only.
    """
    changed: list[str] = []
    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    named = [(name, name) for name in files if posixpath.normpath(name) != LEDGER]
    listed = named if files else list(_of_fleet(repository))
    for name, path in listed:
        try:
            mode = mode_of_file(path)
            content = None if mode is None else read_file(path)
        except HostError as error:
            found.append(unreadable(name, error.message))
            continue
        if mode is None or content is None:
            found.append(unreadable(name, "there is no such file, or it is a link"))
            continue
        outcome = tidied(name, content)
        if outcome.value is None:
            found += discreet(outcome.diagnostics, content)
            texts[name] = masked_desired(display_text(content))
        elif outcome.value != content:
            changed.append(name)
            if not check:
                write_file(path, outcome.value, mode)
    return Formatted(tuple(changed), len(listed), in_order(found), texts)


def _of_fleet(repository: str) -> Iterator[tuple[str, str]]:
    """Names and paths of the files of the format, sorted; links are left alone."""
    if not is_directory(f"{repository}/{FOLDERS[0]}"):
        raise Refused(
            f"{repository} is not a fleet repository: it has no folder desired/",
            hint="go there or name it with -C DIR; or name files",
        )
    for folder in FOLDERS:
        for base in folder_names(f"{repository}/{folder}"):
            name = f"{folder}/{base}"
            path = f"{repository}/{name}"
            known = base.endswith(SUFFIXES) and not base.startswith(".") and name != LEDGER
            if known and mode_of_file(path) is not None:
                yield name, path
