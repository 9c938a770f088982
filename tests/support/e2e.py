"""The installed command as people and cron run it: a process, its exit code, its two streams.

A `Site` is a fleet repository with a folder that plays the host's /.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pbxfleet.cli.main import main
from support.tree import ROOT

PROGRAM = Path(sys.executable).with_name("pbxfleet")
SMALL = ROOT / "tests" / "e2e" / "fleets" / "small"
PATIENCE_S = 120.0
OTHER_USER = 65534


class Done(NamedTuple):
    """A command that has ended. On a terminal both streams are one, and `err` is empty."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """What a command is told about its surroundings: nothing that this test run was told."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "PBXFLEET_PRIORITY": "normal",  # other tests run on the same cores, and wait for nobody
    } | more


def run(
    *words: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
) -> Done:
    """Run the command without a terminal; `prefix` is a program that runs it in its turn."""
    done = subprocess.run(
        (*prefix, str(PROGRAM), *map(str, words)),
        cwd=cwd,
        env=environment() if env is None else env,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def ok(*words: str | Path, **options: Any) -> Done:
    """Run the command, which must end with exit code 0."""
    done = run(*words, **options)
    assert done.code == 0, f"pbxfleet {' '.join(map(str, words))}: {done}"
    return done


def in_process(*words: str | Path) -> Done:
    """What the command does and prints, without a process of its own; for many runs in one test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*map(str, words)])
    return Done(int(code), out.getvalue(), err.getvalue())


def run_typing(
    answer: str, *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Done:
    """Run the command on a terminal on which `answer` is typed; everything it shows is in `out`."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            (str(PROGRAM), *map(str, words)),
            cwd=cwd,
            env=environment() if env is None else env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            os.write(ours, answer.encode())
            text = _until_closed(ours, process)
            return Done(process.wait(PATIENCE_S), text, "")
    finally:
        os.close(ours)


def _until_closed(terminal: int, process: subprocess.Popen[bytes]) -> str:
    parts: list[bytes] = []
    deadline = time.monotonic() + PATIENCE_S
    while True:
        if not select.select([terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
            process.kill()
            raise AssertionError(f"still not done after {PATIENCE_S:g} s: {b''.join(parts)!r}")
        try:
            part = os.read(terminal, 65536)
        except OSError as error:  # Linux says so once nobody holds the other side any more
            assert error.errno == errno.EIO
            part = b""
        if not part:
            return b"".join(parts).decode().replace("\r\n", "\n")
        parts.append(part)


# --- places ----------------------------------------------------------------------------------


class Site:
    """A fleet repository `repo` with one host, and a folder `root` that plays the host's /."""

    def __init__(self, folder: Path, host: str = "h1") -> None:
        self.folder, self.host = folder, host
        self.repo, self.root = folder / "fleet", folder / "host"
        self.root.mkdir(parents=True, exist_ok=True)
        self.prefix: tuple[str, ...] = ()
        self.env = environment()
        self.as_process = True

    def run(self, command: str, *words: str | Path) -> Done:
        """Run a command on the host of this site, or on its repository only."""
        if command in ("plan", "apply", "drift", "status", "history", "rollback", "confirm"):
            words = (self.host, *words, "--root", self.root)
        if not self.as_process:
            return in_process(command, "-C", self.repo, *words)
        return run(command, "-C", self.repo, *words, prefix=self.prefix, env=self.env)

    def ok(self, command: str, *words: str | Path) -> Done:
        """Run a command that must end with exit code 0."""
        done = self.run(command, *words)
        assert done.code == 0, f"{command}: {done}"
        return done

    def compile(self) -> None:
        self.ok("compile", "--quiet")

    def apply(self, *words: str | Path, expect: int = 0) -> Done:
        """Apply without a question; the exit code must be the expected one."""
        done = self.run("apply", "--auto-approve", *words)
        assert done.code == expect, done
        return done

    def plan(self) -> Any:
        """The plan as data."""
        return self.ok("plan", "--json").data

    def drift(self) -> list[Any]:
        """The items of drift as data; the exit code must say the same."""
        done = self.run("drift", "--json")
        items = done.data["items"]
        assert done.code == (2 if items else 0), done
        assert isinstance(items, list)
        return items

    def settles(self) -> None:
        """Nothing is to be done and nothing has drifted: the host is as declared."""
        plan = self.ok("plan", "--detailed-exitcode")
        assert plan.out == f"{self.host}: nothing to do\n", plan
        assert self.ok("drift") == Done(0, "", "")

    def declare(self, name: str, text: str) -> Path:
        """Write a file of the repository."""
        path = self.repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file of the repository, as a person would."""
        path = self.repo / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")


def small_site(folder: Path) -> Site:
    """Two instances under systemd, which is not there below a root folder: nothing is started."""
    site = Site(folder)
    shutil.copytree(SMALL, site.repo)
    return site


def copied_site(folder: Path, repository: Path) -> Site:
    """A copy of a repository, and a host on which nothing was done yet; commands run in this process."""
    site = Site(folder)
    site.as_process = False
    shutil.copytree(repository, site.repo)
    return site


def applied_site(folder: Path) -> Site:
    """`small_site`, compiled and applied."""
    site = small_site(folder)
    site.compile()
    site.apply("--quiet")
    return site


class Facts(NamedTuple):
    """Everything of a path that a write would change; `content` is the target of a link."""

    inode: int
    mode: int
    owner: tuple[int, int]
    mtime_ns: int
    ctime_ns: int
    content: bytes


def facts(*folders: Path) -> dict[str, Facts]:
    """Every path at and below some folders, links not followed."""
    found = {}
    for folder in folders:
        for path in (folder, *sorted(folder.rglob("*"))):
            seen = path.lstat()
            content = b""
            if stat.S_ISREG(seen.st_mode):
                content = path.read_bytes()
            elif stat.S_ISLNK(seen.st_mode):
                content = os.fsencode(path.readlink())
            owner = (seen.st_uid, seen.st_gid)
            found[str(path)] = Facts(
                seen.st_ino, seen.st_mode, owner, seen.st_mtime_ns, seen.st_ctime_ns, content
            )
    return found


@contextlib.contextmanager
def nothing_changes(*folders: Path) -> Iterator[None]:
    """Within this context no path in the folders is written, made, removed or touched."""
    before = facts(*folders)
    yield
    after = facts(*folders)
    changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    assert not changed, f"changed: {changed}"


# --- users -----------------------------------------------------------------------------------


def as_other_user() -> tuple[str, ...]:
    """Prefix of a command that shall not run as the superuser; nothing where nobody is.

    The capability to read stays: this interpreter may lie in a folder that is closed for others.
    """
    if os.geteuid() != 0:
        return ()
    keep = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search")
    return (
        "setpriv",
        f"--reuid={OTHER_USER}",
        f"--regid={OTHER_USER}",
        "--clear-groups",
        *keep,
        "--bounding-set=-all,+dac_read_search",
    )
