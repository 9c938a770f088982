"""Which rendered file, and which line of it, somebody means: a path of the repository, or one of a host."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import NamedTuple

from pbxfleet.app.source_map import RenderedFile, SourceMap
from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.pbx.layout import SETTINGS_FILE

_LINE = re.compile(r"(.+?)(?::([0-9]{1,9}))?(?::[0-9]+)?")


class Asked(NamedTuple):
    """A rendered file and the number of a line of it, None for the whole file."""

    file: RenderedFile
    line: int | None


def is_rendered_place(what: str) -> bool:
    """Whether the words name a rendered file, and not a code or a setting."""
    path = posixpath.normpath(what)
    parts = path.split("/")
    of_instance = len(parts) == 3 and parts[2].partition(":")[0] == SETTINGS_FILE
    return parts[0] == "rendered" or ":/" in what or of_instance or path.startswith("/")


def host_of(what: str) -> str:
    """The host that the words name, "" if they name none."""
    host, separator, _ = what.partition(":/")
    if separator and "/" not in host:
        return host
    parts = posixpath.normpath(what).split("/")
    return parts[1] if parts[0] == "rendered" and len(parts) > 1 else parts[0]


def asked_of(known: SourceMap, what: str) -> Asked:
    """What `rendered/HOST/…:LINE`, `HOST:/PATH:LINE` or `HOST/INSTANCE/pbx.xml:LINE` means.

    Refused if the words are none of these, with the nearest name where the host or file is not known.
    """
    host, separator, rest = what.partition(":/")
    if separator and "/" not in host:
        path, line = _line_of(f"/{rest}")
        return Asked(_on_host(known, host, path), line)
    path, line = _line_of(posixpath.normpath(what))
    if path.startswith("/"):
        raise Refused(
            f"{what!r} does not say whose file it is",
            hint=f"HOST:{path} for a file on a host, or its place in the repository, "
            "such as rendered/fra1/manifest.json:2",
            code="MAP101",
        )
    parts = path.split("/")
    if parts[0] == "rendered" and len(parts) > 2:
        return Asked(RenderedFile(parts[1], "/".join(parts[2:])), line)
    if len(parts) == 3 and parts[2] == SETTINGS_FILE:
        return Asked(_settings_of(known, parts[0], parts[1]), line)
    raise Refused(
        f"{what!r} is not a rendered file",
        hint="a path such as rendered/fra1/manifest.json:2, or fra1:/etc/pbx/backup.list:1",
        code="MAP101",
    )


def _line_of(text: str) -> tuple[str, int | None]:
    match = _LINE.fullmatch(text)
    assert match is not None, "of any text that is not empty"
    return match[1], None if match[2] is None else int(match[2])


def _on_host(known: SourceMap, host: str, path: str) -> RenderedFile:
    normal = posixpath.normpath(path)
    return _called(host, normal, known.paths(host), f"rendered for {host}")


def _settings_of(known: SourceMap, host: str, instance: str) -> RenderedFile:
    return _called(host, instance, known.settings_files(host), f"an instance of {host}")


def _called(host: str, name: str, files: Mapping[str, str], what: str) -> RenderedFile:
    if name not in files:
        raise Refused(f"{name} is not {what}", hint=did_you_mean(name, files), code="MAP101")
    return RenderedFile(host, files[name])
