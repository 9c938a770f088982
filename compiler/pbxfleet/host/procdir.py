"""Reading /proc: its files and links by name, relative to a folder that tests can replace."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pbxfleet.host.procfs import ProcStat, parse_command_line, parse_stat
from pbxfleet.host.refusals import refused

READ_BYTES = 1 << 16


class ProcDir:
    """A mounted proc file system. What a process loses by ending is an OSError or None."""

    def __init__(self, folder: str = "/proc") -> None:
        self.folder = folder

    def pids(self) -> Iterator[int]:
        """The numbers of all processes that can be seen, in no order; HostError without /proc."""
        try:
            names = os.listdir(self.folder)
        except OSError as error:
            raise refused(self.folder, error) from error
        return (int(name) for name in names if name.isdecimal())

    def content(self, name: str) -> bytes:
        """The whole of one file; such files have no size, and are read until nothing comes."""
        file = os.open(f"{self.folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            parts = []
            while part := os.read(file, READ_BYTES):
                parts.append(part)
            return b"".join(parts)
        finally:
            os.close(file)

    def page(self, name: str) -> bytes:
        """A file that the kernel gives in one piece, such as `stat` and `status` of a process."""
        file = os.open(f"{self.folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(file, READ_BYTES)
        finally:
            os.close(file)

    def link(self, name: str) -> str:
        """What one link says."""
        return os.readlink(f"{self.folder}/{name}")

    def stat(self, pid: int) -> ProcStat | None:
        """/proc/PID/stat of one process, None if there is no such process."""
        try:
            return parse_stat(self.page(f"{pid}/stat"))
        except (OSError, ValueError):
            return None

    def words(self, pid: int) -> tuple[str, ...]:
        """The command line of a process as it stands now; empty if it cannot be read."""
        try:
            return parse_command_line(self.content(f"{pid}/cmdline"))
        except OSError:
            return ()

    def socket_inodes(self, pid: int) -> Iterator[int]:
        """Inodes of the sockets that a process has open; OSError if it cannot be looked into."""
        folder = f"{self.folder}/{pid}/fd"
        for name in os.listdir(folder):
            try:
                text = os.readlink(f"{folder}/{name}")
            except FileNotFoundError:
                continue
            if text.startswith("socket:["):
                yield int(text[8:-1])
