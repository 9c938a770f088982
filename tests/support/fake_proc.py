"""A folder that looks like /proc, with the processes a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
ROW = (
    "   0: {address:08X}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 "
    "00000000     0        0 {inode} 1 0000000000000000 100 0 0 10 0\n"
)


class FakeProc:
    """Processes as files; `self/net` is the network namespace `net:[1]`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("net", "ns"):
            (folder / "self" / name).mkdir(parents=True)
        (folder / "self" / "ns" / "mnt").symlink_to("mnt:[1]")
        self.rows: dict[str, str] = {"tcp": HEADER, "udp": HEADER}

    def add(
        self,
        pid: int,
        executed: str,
        *,
        parent: int = 1,
        words: Sequence[str] = (),
        cwd: str = "/",
        state: str = "S",
        started: int = 1000,
        group: int | None = None,
        cores: str = "0-1",
        inodes: Sequence[int] = (),
        name: str = "pbxctrl",
    ) -> None:
        """A process; `executed` is what its `exe` link says, "" for a thread of the kernel."""
        place = self.folder / str(pid)
        (place / "fd").mkdir(parents=True)
        (place / "ns").mkdir()
        (place / "ns" / "net").symlink_to("net:[1]")
        (place / "ns" / "mnt").symlink_to("mnt:[1]")
        (place / "net").symlink_to("../self/net")
        if executed:
            (place / "exe").symlink_to(executed)
        (place / "cwd").symlink_to(cwd)
        (place / "cmdline").write_text("".join(f"{word}\0" for word in words))
        head = f"{pid} ({name}) {state} {parent} {group or pid} {group or pid}"
        (place / "stat").write_text(f"{head} 0 -1{' 0' * 13} {started} 0 0\n")
        (place / "status").write_text(f"Name:\t{name}\nCpus_allowed_list:\t{cores}\n")
        (place / "fd" / "0").symlink_to("/dev/null")
        for number, inode in enumerate(inodes, 3):
            (place / "fd" / str(number)).symlink_to(f"socket:[{inode}]")

    def listen(self, protocol: str, address: str, port: int, inode: int) -> None:
        """A receiving socket in the one network namespace."""
        word = int.from_bytes(bytes(map(int, address.split("."))), "little")
        state = "0A" if protocol == "tcp" else "07"
        self.rows[protocol] += ROW.format(address=word, port=port, state=state, inode=inode)
        for name, text in self.rows.items():
            (self.folder / "self" / "net" / name).write_text(text)
