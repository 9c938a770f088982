"""A new fleet repository: small, valid, and explained in its own comments."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.app.demo_fleet import make_repository
from pbxfleet.app.schemas import editor_files
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import (
    exists,
    folder_names,
    is_directory,
    package_path,
    read_file,
    write_file,
)

SKELETON = package_path("skeleton")


def init(folder: str) -> tuple[str, ...]:
    """Write the skeleton into a new or empty folder; returns the names of the files written."""
    _refuse_used(folder)
    files = dict(_skeleton())
    files |= {f"schemas/{name}": content for name, content in editor_files().items()}
    for name, content in sorted(files.items()):
        write_file(f"{folder}/{name}", content, 0o755 if content.startswith(b"#!") else 0o644)
    return tuple(sorted(files))


def init_sandbox(folder: str) -> tuple[str, ...]:
    """Write the fleet of the demo: its host is this machine, below a folder that plays /.

    Returns the names of the files written.
    """
    _refuse_used(folder)
    make_repository(folder)
    return tuple(sorted(_names_below(folder)))


def _refuse_used(folder: str) -> None:
    if exists(folder) and (not is_directory(folder) or folder_names(folder)):
        raise Refused(f"{folder} is not empty", hint="name a folder that does not exist yet")


def _skeleton() -> Iterator[tuple[str, bytes]]:
    for name in _names_below(SKELETON):
        # Names that begin with a dot are stored without it, so that packaging keeps them.
        yield name.replace("dot-", "."), read_file(f"{SKELETON}/{name}") or b""


def _names_below(folder: str, below: str = "") -> Iterator[str]:
    """The files of a folder, by their paths there."""
    for base in folder_names(f"{folder}/{below}"):
        name = f"{below}/{base}" if below else base
        if is_directory(f"{folder}/{name}"):
            yield from _names_below(folder, name)
        else:
            yield name
