"""systemd: one unit an instance, in the foreground, supervised by systemd alone."""

from __future__ import annotations

import re

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.render.own_templates import render
from pbxfleet.render.services.base import FileText, service_values

_PLAIN = re.compile(r"[A-Za-z0-9/._+:@,=%-]+")
# "Executable name contains special characters", says systemd 252 and does not start the unit.
_NOT_RUN = re.compile(r"[\"'\\]")


def service_file(host: ResolvedHost, instance: ResolvedInstance) -> FileText | None:
    """The unit file, 0644."""
    filters = {"word": word, "command": command, "to_end_of_line": to_end_of_line}
    text = render("systemd.service.j2", service_values(host, instance), filters)
    return FileText(text.encode(), 0o644)


def problems(instance: ResolvedInstance) -> tuple[Diagnostic, ...]:
    """DIR121 for a directory from which systemd refuses to run a program."""
    found = _NOT_RUN.search(instance.paths.directory)
    if found is None:
        return ()
    message = f"systemd runs no program whose path holds {found.group()}"
    hint = "name the directory without quotation marks and backslashes"
    return (Diagnostic("DIR121", message, instance.directory_origin, hint=hint),)


def word(text: str) -> str:
    """`text` as one word: specifiers doubled, in quotes where blanks or signs stand in it.

    In quotes a backslash takes away the meaning of the next character (systemd.syntax(7)).
    """
    doubled = text.replace("%", "%%")
    if _PLAIN.fullmatch(doubled):
        return doubled
    escaped = doubled.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command(path: str) -> str:
    """The program of a command line.

    The prefix `:` switches off the replacing of `$NAME` in the whole line. It is written only where
    it is needed, because systemd before 244 does not know it (systemd.service(5)).
    """
    return ":" + word(path) if "$" in path else word(path)


def to_end_of_line(path: str) -> str:
    """`path` for a setting that takes the rest of the line as it is, but for specifiers.

    A blank at the end would be cut off; with a slash behind it, the same directory is meant.
    """
    doubled = path.replace("%", "%%")
    return doubled + "/" if doubled.endswith(" ") else doubled
