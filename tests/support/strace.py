"""The installed command under strace: which calls change the host, and what happens if one fails.

A `Point` is one system call of one run, told by its name and its number among the calls of that name.
The same run makes the same calls, so a point that was seen in one run can be hit in the next one.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from support.beds import bed_required, require_programs

BED = "fault injection with strace"
PATIENCE_S = 180.0

# Every call of ours that changes files, names, attributes or processes, in all its variants.
ON_HANDLES = (
    "write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fallocate", "fchmod",
    "fchown", "fsetxattr", "sendfile", "copy_file_range", "sync_file_range",
)  # fmt: skip
ON_NAMES = (
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "link",
    "linkat", "symlink", "symlinkat", "chmod", "fchmodat", "chown", "lchown",
    "fchownat", "truncate", "setxattr", "lsetxattr", "utimensat", "mknod", "mknodat",
)  # fmt: skip
ON_PROCESSES = ("kill", "vfork")
OPEN = "openat"
HANDLE = "/proc/self/fd/"  # how a file is named of which only the handle is held
CALLS = (*ON_HANDLES, *ON_NAMES, *ON_PROCESSES, OPEN)

_LINE = re.compile(r"^(?P<call>\w+)\((?P<arguments>.*)")
_HANDLE = re.compile(r"^-?\w+<(?P<path>[^>]*)>")
_NUMBER = re.compile(r"\.pbxfleet-(?:displaced-\d+-)?\d+-")


class Point(NamedTuple):
    """The `number`-th call (from 1) of a name in a run; `subject` is what it was about, for people.

    Calls that open files are counted for each directory, `folder`.
    """

    call: str
    number: int
    subject: str
    folder: str = ""

    def __str__(self) -> str:
        return f"{self.call}#{self.number} ({self.subject})"


class Ended(NamedTuple):
    """How the command ended under a fault; `hit` is the call that was tampered with, "" if none."""

    code: int
    out: str
    err: str
    hit: str


def require_strace() -> None:
    """End the test where strace is not installed or may not trace."""
    require_programs(BED, "strace")
    tried = subprocess.run(("strace", "-o", os.devnull, "true"), check=False, capture_output=True)
    if tried.returncode != 0:
        bed_required(BED, tried.stderr.decode().strip())


def points(argv: Sequence[str], env: Mapping[str, str], root: Path) -> list[Point]:
    """Run the command to its good end, and list its calls that change something below `root`.

    A call that ends, begins or signals a process changes the host as well.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        traced = ("strace", "-qqq", "-y", "-s", "4096", "-e", "signal=none")
        done = _run((*traced, "-e", f"trace={','.join(CALLS)}", "-o", str(log), *argv), env)
        assert done.code == 0, done
        return list(_points(log.read_text(encoding="utf-8", errors="replace"), root))


def terminal_points(argv: Sequence[str], env: Mapping[str, str]) -> list[Point]:
    """Run the command to its good end, and list its writes to its output streams."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        traced = ("strace", "-qqq", "-y", "-s", "80", "-e", "signal=none", "-e", "trace=write")
        done = _run((*traced, "-o", str(log), *argv), env)
        assert done.code == 0, done
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        writes = [line for line in lines if line.startswith("write(")]
        return [
            Point("write", number, line[6:60])
            for number, line in enumerate(writes, 1)
            if line.startswith(("write(1<", "write(2<"))
        ]


def inject(point: Point, what: str, argv: Sequence[str], env: Mapping[str, str]) -> Ended:
    """Run the command with one call tampered with: `what` is `error=EIO` or `signal=KILL`.

    A call that fails is not performed, nor is one at which the process is killed: that the process
    ends after a call is the same as that it ends at the next one.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        traced = ("strace", "-qqq", "-y", "-s", "4096", "-e", "signal=none")
        # How many files are opened depends on how many processes the machine has just now; how
        # many in one directory does not.
        where = ("-P", point.folder) if point.call == OPEN else ()
        tampered = f"inject={point.call}:{what}:when={point.number}"
        filtered = ("-e", f"trace={point.call}", *where, "-e", tampered)
        done = _run((*traced, *filtered, "-o", str(log), *argv), env)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        calls = [line for line in lines if line.startswith(f"{point.call}(")]
        hit = calls[point.number - 1] if len(calls) >= point.number else ""
        return done._replace(hit=f"{point.call} {subject(hit)}" if hit else "")


def _run(argv: Sequence[str], env: Mapping[str, str]) -> Ended:
    done = subprocess.run(
        argv,
        # Compiled modules are written in the first run only, and would count in it.
        env={**env, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    code = 128 + signal.SIGKILL if done.returncode == -signal.SIGKILL else done.returncode
    return Ended(code, done.stdout.decode(), done.stderr.decode(), "")


def _points(text: str, root: Path) -> Iterator[Point]:
    counts: dict[str, int] = {}
    for line in text.splitlines():
        call = line.partition("(")[0]
        if call not in CALLS:
            continue
        about = subject(line)
        if call == OPEN:
            yield from _opened(line, about, counts, root)
            continue
        counts[call] = counts.get(call, 0) + 1
        if call in ON_PROCESSES or about.startswith((f"{root}/", HANDLE)) or about == str(root):
            yield Point(call, counts[call], about.removeprefix(str(root)))


def _opened(line: str, about: str, counts: dict[str, int], root: Path) -> Iterator[Point]:
    """A call that makes a file, counted as strace does it: by what the call names itself."""
    folder = about.rpartition("/")[0]
    handle, written = _HANDLE.search(line.removeprefix(f"{OPEN}(")), re.search(r'"([^"]*)"', line)
    for place in {handle["path"] if handle else "", written[1] if written else ""}:
        counts[place] = counts.get(place, 0) + 1
    if "O_CREAT" in line and about.startswith(f"{root}/"):
        yield Point(OPEN, counts[folder], about.removeprefix(str(root)), folder)


def subject(line: str) -> str:
    """What a traced call was about: the path of its handle, or of the name that it changes."""
    found = _LINE.match(line)
    if found is None:
        return ""
    call, arguments = found["call"], found["arguments"]
    if call in ON_PROCESSES:
        return arguments.partition(")")[0]
    handle = _HANDLE.match(arguments)
    if call in ON_HANDLES:
        return _NUMBER.sub(".pbxfleet-N-", handle["path"]) if handle else ""
    names = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
    name = names[-1] if call.startswith("rename") else next(iter(names), "")
    if handle is not None and not name.startswith("/"):
        name = f"{handle['path']}/{name}"
    return _NUMBER.sub(".pbxfleet-N-", name)
