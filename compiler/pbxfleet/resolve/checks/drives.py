"""Paths of Windows and of Linux: a host has those of its own system, with names that it takes."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.drives import is_on_drive, to_windows
from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.resolve.problems import Problems

# Naming Files, Paths, and Namespaces (Windows API): characters, endings and devices. A per cent sign
# would be replaced in the command line of a service, which Windows keeps as expandable text.
FORBIDDEN = frozenset('<>:"|?*%')
_NUMBERED = tuple(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))
DEVICES = frozenset(("con", "prn", "aux", "nul", *_NUMBERED))
OF_WINDOWS = frozenset(
    ("", "windows", "program files", "program files (x86)", "programdata", "users")
)


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """SVC107 a path of the other system, SVC108 a name that Windows does not take, SVC109 paths that
    only differ in capitals.
    """
    problems = Problems()
    seen: dict[str, tuple[HostPath, str]] = {}
    templates: dict[Span, Diagnostic] = {}
    on_windows = host.services is ServiceBackend.WINDOWS
    for instance in host.instances:
        for path, place in _paths(host, instance, on_windows=on_windows):
            code, text, hint = _judge(path, seen, instance.name, on_windows=on_windows)
            if code:
                found = Diagnostic(code, text, place, hint=hint)
                if (
                    code == "SVC107"
                ):  # of one template all paths are wrong: the first stands for them
                    found = templates.setdefault(place, found)
                problems.share(found, instance.name, instance.span)
    yield from problems.diagnostics()
    wish = host.file.windows
    if on_windows and wish is not None and not is_on_drive(wish.script.value):
        yield Diagnostic("SVC107", _other(wish.script.value), wish.script.origin, hint=_WRITE)


_WRITE = "a path of Windows begins with its drive: 'C:\\Program Files\\Vodia\\PBX-{instance}'"


def _paths(
    host: ResolvedHost, instance: ResolvedInstance, *, on_windows: bool
) -> Iterator[tuple[HostPath, Span]]:
    paths, file = instance.paths, host.file
    yield paths.directory, instance.directory_origin
    if paths.failover_file is not None and file.failover_file is not None:
        yield paths.failover_file, file.failover_file.origin
    if not on_windows:  # there nobody reads the others
        yield paths.pid_file, file.pid_file.origin
        yield paths.backup_list, file.backup_list.origin
        yield paths.backup_exclude, file.backup_exclude.origin


def _judge(
    path: HostPath,
    seen: dict[str, tuple[HostPath, str]],
    instance: str,
    *,
    on_windows: bool,
) -> tuple[str, str, str]:
    """Code, message and hint; the code is "" where all is well."""
    if is_on_drive(path) is not on_windows:
        if on_windows:
            return "SVC107", _other(path), _WRITE
        return "SVC107", f"{to_windows(path)} is a path of Windows", "write a path of Linux"
    if not on_windows:
        return "", "", ""
    for name in path[4:].split("/"):
        why = _unfit(name)
        if why:
            return "SVC108", f"{to_windows(path)}: {why}", "choose a name that Windows takes"
    if path[4:].casefold() in OF_WINDOWS:
        text = f"{to_windows(path)} belongs to the system, not to one instance"
        return "SVC108", text, _WRITE
    other, owner = seen.setdefault(path.casefold(), (path, instance))
    if other != path:
        text = f"{to_windows(path)} is for Windows the same as {to_windows(other)} of {owner}"
        return "SVC109", text, "give them names that differ in more than capitals"
    return "", "", ""


def _other(path: HostPath) -> str:
    return f"{path} is no path of Windows"


def _unfit(name: str) -> str:
    """Why Windows does not take a name; "" if it does."""
    bad = FORBIDDEN.intersection(name)
    if bad:
        return f"a name cannot hold {min(bad)}"
    if name != name.rstrip(". "):
        return "a name cannot end in a dot or a blank"
    if name.partition(".")[0].casefold() in DEVICES:
        return f"{name} is a device"
    return ""
