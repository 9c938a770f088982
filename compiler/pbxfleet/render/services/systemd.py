"""systemd: one unit an instance, in the foreground, supervised by systemd alone."""

from __future__ import annotations

import re

from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.render.own_templates import render
from pbxfleet.render.services.base import FileText, service_values

_PLAIN = re.compile(r"[A-Za-z0-9/._+:@,=-]+")


def service_file(host: ResolvedHost, instance: ResolvedInstance) -> FileText | None:
    """The unit file, 0644."""
    filters = {"word": word, "command": command, "to_end_of_line": to_end_of_line}
    text = render("systemd.service.j2", service_values(host, instance), filters)
    return FileText(text.encode(), 0o644)


def word(text: str) -> str:
    """`text` as one word: specifiers doubled, C escapes within quotes (systemd.syntax(7))."""
    text = text.replace("%", "%%")
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command(path: str) -> str:
    """The program of a command line.

    The prefix `:` switches off the replacing of `$NAME` in the whole line. It is written only where
    it is needed, because systemd before 244 does not know it (systemd.service(5)).
    """
    return ":" + word(path) if "$" in path else word(path)


def to_end_of_line(path: str) -> str:
    """`path` for a setting that takes the rest of the line as it is, but for specifiers.

    A blank at the end would be cut off and a backslash would join the next line; a slash after it
    says the same directory.
    """
    text = path.replace("%", "%%")
    return text + "/" if text.endswith(("\\", " ")) else text
