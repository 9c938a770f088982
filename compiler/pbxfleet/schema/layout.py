"""Which file below desired/ is what, by its name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pbxfleet.core.diagnostics import Diagnostic, Severity, did_you_mean
from pbxfleet.core.span import whole_file
from pbxfleet.schema.names import NAME_RULE, is_name

SUFFIXES = (".toml", ".yaml", ".yml")
LEDGER_FILE = "desired/ledger.toml"

# Folders whose files are named by other files; nothing is read from them unasked.
_OTHER_FOLDERS = ("templates", "reference", "artefacts", "secrets")
_FOLDERS = ("hosts", "instances")


class Part(StrEnum):
    """What a file of the format describes."""

    FLEET = "fleet"
    HOST = "host"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Layout:
    """Files of the format: (part, name) to the files that claim to be it; normally one each."""

    files: dict[tuple[Part, str], list[str]]
    found: tuple[Diagnostic, ...]


def lay_out(names: Iterable[str]) -> Layout:
    """Sort file names (`desired/hosts/fra1.toml`). Problems: FMT111, FMT112, FMT113 (a warning)."""
    files: dict[tuple[Part, str], list[str]] = {}
    found: list[Diagnostic] = []
    for name in sorted(set(names)):
        part = _part(name)
        if part is None:
            found += _not_read(name)
            continue
        stem = posixpath.splitext(posixpath.basename(name))[0]
        if part is not Part.FLEET and not is_name(stem):
            found.append(_bad_name(name, part, stem))
        files.setdefault((part, stem), []).append(name)
    for (part, stem), claims in sorted(files.items()):
        found += [_two_files(part, stem, second, claims[0]) for second in claims[1:]]
    return Layout(files, tuple(found))


def _part(name: str) -> Part | None:
    folder, _, base = name.removeprefix("desired/").rpartition("/")
    stem, suffix = posixpath.splitext(base)
    if suffix not in SUFFIXES or base.startswith("."):
        return None
    if not folder and stem == "fleet":
        return Part.FLEET
    return {"hosts": Part.HOST, "instances": Part.INSTANCE}.get(folder)


def _not_read(name: str) -> list[Diagnostic]:
    """A warning for a file that somebody may believe in, nothing for one that is there on purpose."""
    first, _, rest = name.removeprefix("desired/").partition("/")
    base = posixpath.basename(name)
    if base.startswith((".", "README", "LICENSE")) or name == LEDGER_FILE:
        return []
    if rest and first in _OTHER_FOLDERS:
        return []
    if first in _FOLDERS and "/" not in rest:
        hint = f"files of the format end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    elif first in _FOLDERS:
        hint = f"files lie directly in {first}/, in no folder below"
    elif rest:
        hint = did_you_mean(first, (*_FOLDERS, *_OTHER_FOLDERS))
    else:
        hint = "desired/ holds fleet.toml and the folders hosts/ and instances/"
    return [
        Diagnostic("FMT113", "this file is not read", whole_file(name), Severity.WARNING, hint=hint)
    ]


def better_name(stem: str) -> str:
    """What a file with a name that is not allowed was probably meant to be called."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in stem.lower()).strip("-")


def _bad_name(file: str, part: Part, stem: str) -> Diagnostic:
    better = better_name(stem)
    hint = f'rename the file, for example to "{better}"' if is_name(better) else "rename the file"
    return Diagnostic(
        "FMT111",
        f'"{stem}" cannot be the name of a{"n" if part is Part.INSTANCE else ""} {part}',
        whole_file(file),
        hint=f"{hint}; names are {NAME_RULE}",
    )


def _two_files(part: Part, stem: str, second: str, first: str) -> Diagnostic:
    what = "the fleet" if part is Part.FLEET else f"the {part} {stem}"
    return Diagnostic(
        "FMT112",
        f"{what} has two files",
        whole_file(second),
        related=((whole_file(first), "this is the other"),),
        hint="keep one of them",
    )
