"""Which places of a host are for a compiled target, and which are the system's or somebody else's."""

from __future__ import annotations

from collections.abc import Collection

from pbxfleet.core.paths import STATE, is_inside

PLACES_FILE = "/etc/pbxfleet/places"
"""Further folders that the host itself allows, one a line."""
OUR_PLACES = ("/etc/pbx/", "/etc/pbxfleet/")

# Trees in which only the places above are ours: what lies there is run, loaded or believed by others.
SYSTEM_TREES = frozenset(
    ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc")
) | {
    "root",
    "run",
    "sbin",
    "sys",
}
# Below these, what the system has (FHS 3.0); anything else there is the administrator's.
SYSTEM_BELOW = {
    "usr": frozenset(
        ("bin", "games", "include", "lib", "lib32", "lib64", "libexec", "libx32", "sbin")
    ),
    "var": frozenset(("account", "cache", "crash", "lock", "log", "mail", "run", "spool", "yp")),
}
LOCAL = frozenset(
    ("bin", "etc", "games", "include", "lib", "lib64", "libexec", "man", "sbin", "share")
)


def is_ours(path: str, places: Collection[str] = ()) -> bool:
    """Whether compile may put a file of its own at `path`, outside the directories of instances."""
    names = path.split("/")[1:]
    if path == PLACES_FILE or is_inside(path, STATE):
        return False
    if path.startswith(OUR_PLACES) or any(is_inside(path, place) for place in places):
        return True
    return not _is_of_the_system(names) and not any(name.startswith(".") for name in names)


def is_place_for_a_pid_file(path: str, directory: str) -> bool:
    """Whether the PID file of the instance in `directory` may be `path`."""
    return path.startswith(("/run/", "/var/run/", f"{directory}/")) or is_ours(path)


def is_directory_of_ours(path: str) -> bool:
    """Whether `path` may be the directory of an instance: it is none that the system has."""
    names = path.split("/")[1:]
    deep = len(names) > 1 or (names[0] not in ("home", "media", "mnt", "opt", "srv", "tmp"))
    is_top = names[0] in SYSTEM_BELOW and len(names) < 3 and names[0] == "var"
    return deep and not is_top and not _is_of_the_system(names) and not is_inside(path, STATE)


def _is_of_the_system(names: list[str]) -> bool:
    top = names[0]
    if top in SYSTEM_TREES or (top in SYSTEM_BELOW and len(names) < 3):
        return True
    if top in SYSTEM_BELOW and names[1] in SYSTEM_BELOW[top]:
        return True
    if top == "usr" and names[1] == "local":
        return names[2] in LOCAL
    return top == "usr" and names[1] not in ("local", "src")
