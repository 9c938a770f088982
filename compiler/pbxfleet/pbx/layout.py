"""Names inside an instance's directory, and options of the executable."""

from __future__ import annotations

from typing import NamedTuple

_FAILOVER = "https://doc.vodia.com/docs/failover"
_SETTINGS = "https://doc.vodia.com/docs/admin-settings"
_INSTALLER = "https://github.com/VasilisVikos/vodia_windows_installer"
_IMAGE = "https://github.com/Nex9/vodia.docker"
_IMAGE_2 = "https://github.com/Mickaelh51/vodiadocker"
_INSTANCES = "https://web.vodia.com/blog/multiple-instances-single-server"
_MANUAL = "https://mwitty.com/content.php?id=5651374"

EXECUTABLE = "pbxctrl"
WINDOWS_EXECUTABLE = "pbxctrl.exe"
RESOURCES = "pbxctrl.dat"
SETTINGS_FILE = PBX_XML = "pbx.xml"
SEED_FILE = "setup.json"
RECORDINGS = "recordings"
DEFAULT_DIRECTORY = "/usr/local/pbx"
"""Directory of a single installation (https://github.com/Nex9/vodia.docker)."""


class EntryRow(NamedTuple):
    """A name (or shell pattern) in an instance's directory; `pbx.backup` says what a backup holds."""

    name: str
    what: str
    source: str


ENTRIES = (
    EntryRow(SETTINGS_FILE, "settings of the system, written by the PBX too", _SETTINGS),
    EntryRow(EXECUTABLE, "the executable; comes back from the release", _INSTALLER),
    EntryRow(RESOURCES, "resources of the executable's version", _INSTALLER),
    EntryRow(SEED_FILE, "seed of the first start; holds a password digest", _INSTALLER),
    EntryRow("audio_*", "stock prompts and music, which the operator may change", _IMAGE),
    EntryRow(RECORDINGS, "recordings; the directory must exist", _MANUAL),
    EntryRow("*", "everything else: all information lies in the directory", _FAILOVER),
)


# Of an instance's directory, what differs between the halves of a failover pair: the settings hold the
# addresses that are bound, executable and resources are those of its host, the seed is its own.
MIRROR_EXCLUDES = (SETTINGS_FILE, EXECUTABLE, RESOURCES, SEED_FILE)


class OptionRow(NamedTuple):
    """An option of the executable; `value` names its argument, "" if it has none."""

    option: str
    value: str
    what: str
    source: str


DIR = "--dir"
PIDFILE = "--pidfile"
RESPAWN = "--respawn"
NO_DAEMON = "--no-daemon"
VERSION = "--version"

OPTIONS = (
    OptionRow(DIR, "DIR", "working directory", _INSTANCES),
    OptionRow(PIDFILE, "FILE", "write the process id to this file", _INSTANCES),
    OptionRow(RESPAWN, "", "watch itself and start again", _INSTANCES),
    OptionRow(NO_DAEMON, "", "stay in the foreground", _IMAGE_2),
    OptionRow(VERSION, "", "print the version", _INSTALLER),
    OptionRow("--http-port", "N", "HTTP port; its rank against pbx.xml is not known", _IMAGE),
    OptionRow("--https-port", "N", "HTTPS port; its rank against pbx.xml is not known", _IMAGE),
)
