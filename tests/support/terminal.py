"""A shell on a terminal of its own, in a network and with processes of its own where that is possible."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.standin import end_all

PATIENCE_S = 120.0
MARK = "\x1e"

# Commands come as files over a descriptor of their own, so that the terminal is theirs alone. The
# exit code of one command is `$?` of the next, as at a real prompt.
LOOP = f"""
__code=0
while IFS= read -r __file <&9; do
    (exit "$__code")
    . "$__file"
    __code=$?
    printf '{MARK}%s{MARK}' "$__code"
done
"""
LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
os.execvp(sys.argv[1], sys.argv[1:])
"""
OWN = ("--net", "--pid", "--mount-proc", "--fork", "--kill-child")


@functools.cache
def own_world() -> tuple[str, ...]:
    """The command under which a program has loopback addresses and processes of its own, or ()."""
    inside = (sys.executable, "-ISc", LOOPBACK_UP)
    for prefix in (("unshare", *OWN), ("unshare", "--map-root-user", *OWN)):
        argv = (*prefix, *inside, "true")
        with contextlib.suppress(OSError):
            if subprocess.run(argv, check=False, capture_output=True).returncode == 0:
                return (*prefix, *inside)
    return ()


class Shell:
    """`sh` on a terminal, working in `folder`; the programs of this Python come first on the path."""

    def __init__(self, folder: Path, scratch: Path, terminal: int, pipe: int) -> None:
        self.folder = folder
        self._scratch = scratch
        self._terminal = terminal
        self._pipe = pipe

    def run(self, command: str, expected: Sequence[str] = ()) -> tuple[list[str], int]:
        """Run one command; the lines on the screen and its exit code.

        When it stops in the middle of a line and an expected line begins like that, the rest of the
        expected line is typed.
        """
        file = self._scratch / "command"
        file.write_text(command + "\n", encoding="utf-8")
        os.write(self._pipe, f"{file}\n".encode())
        screen, code = self._read(expected)
        return [line.rstrip() for line in screen.replace("\r\n", "\n").splitlines()], code

    def _read(self, expected: Sequence[str]) -> tuple[str, int]:
        end = time.monotonic() + PATIENCE_S
        text, asked = "", 0
        while not (done := re.search(f"{MARK}(\\d+){MARK}", text)):
            left = max(end - time.monotonic(), 0)
            ready, _, _ = select.select([self._terminal], [], [], left)
            assert ready, f"not done after {PATIENCE_S:.0f} s; on the screen:\n{text}"
            text += os.read(self._terminal, 65536).decode("utf-8", "replace")
            question = text.rpartition("\n")[2]
            answer = _answer(question, expected)
            if answer and len(text) > asked:
                os.write(self._terminal, (answer + "\n").encode())
                asked = len(text) + len(answer) + 2
        return text[: done.start()], int(done[1])


def _answer(question: str, expected: Sequence[str]) -> str:
    """What a person types behind a question; "" if nothing is asked."""
    if not question.endswith(": "):
        return ""
    return next((e[len(question) :] for e in expected if e.startswith(question)), "")


@contextlib.contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    """A shell in a new folder; its processes, and those they left behind, are gone afterwards."""
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pbxfleet-docs-")))
        world = own_world()
        if not world:
            stack.enter_context(_alone())
        terminal, theirs = os.openpty()
        stack.callback(os.close, terminal)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
        reader, writer = os.pipe()
        process = subprocess.Popen(
            (*world, "sh", "-c", f"exec 9</dev/fd/{reader}; {LOOP}"),
            cwd=folder,
            env=_environment(scratch),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            pass_fds=(reader,),
            start_new_session=True,
        )
        for number in (theirs, reader):
            os.close(number)
        stack.callback(end_all, folder)
        stack.callback(_end, process)
        stack.callback(os.close, writer)
        yield Shell(folder, scratch, terminal, writer)


def _environment(home: Path) -> dict[str, str]:
    programs = str(Path(sys.executable).parent)
    return {
        "PATH": f"{programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PBXFLEET_PRIORITY": "normal",
        "TERM": "dumb",
        "USER": "you",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_S)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Where all share one network, sessions on the same addresses wait for each other."""
    path = Path(tempfile.gettempdir()) / f"pbxfleet-docs-{os.getuid()}.lock"
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
