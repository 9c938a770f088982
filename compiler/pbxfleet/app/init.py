"""A new fleet repository: small, valid, and explained in its own comments."""

from __future__ import annotations

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
    files = dict(_skeleton(""))
    files |= {f"schemas/{name}": content for name, content in editor_files().items()}
    for name, content in sorted(files.items()):
        write_file(f"{folder}/{name}", content, 0o644)
    return tuple(sorted(files))


def init_sandbox(folder: str) -> None:
    """Write the fleet of the demo: its host is this machine, below a folder that plays /."""
    _refuse_used(folder)
    make_repository(folder)


def _refuse_used(folder: str) -> None:
    if exists(folder) and (not is_directory(folder) or folder_names(folder)):
        raise Refused(f"{folder} is not empty", hint="name a folder that does not exist yet")


def _skeleton(below: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for name in folder_names(f"{SKELETON}/{below}"):
        path = f"{below}/{name}" if below else name
        if is_directory(f"{SKELETON}/{path}"):
            found += _skeleton(path)
        else:
            # Names that begin with a dot are stored without it, so that packaging keeps them.
            found.append((path.replace("dot-", "."), read_file(f"{SKELETON}/{path}") or b""))
    return found
