"""Power cuts: what may be on the disk when a machine comes up again, after every single operation.

A `Tape` watches the operations by which the real `Files` class changes a real folder: it stands
between that class and the system. An operation is *safe* once the file or the directory that it changed
was synced. What is not safe may be there or not, one by one, and a file whose content is not safe may
have any part of it, or zeroes (POSIX promises no more; the model follows Pillai et al., "All File
Systems Are Not Created Equal", OSDI 2014, section 3, with renames that are atomic).
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from pbxfleet.host import exchange

NAMING = ("make", "move", "exchange", "drop")  # these change a directory
Tree = dict[str, tuple[str, int, bytes]]  # by path: file, directory or symlink; mode; content


class Op(NamedTuple):
    """One operation on a node (a number): `verb` with what it needs.

    make: `node`, new or not, appears as `name` in directory `at`. move: `name` in `at` becomes
    `other`. exchange: so, and what was `other` (number `offset`) becomes `name`. drop: `name` in `at`
    goes. write: `content` is put at `offset`. cut: `offset` is the new length. mode: `mode`. sync:
    what was done to `node` before is safe.
    """

    verb: str
    node: int
    at: int = 0
    name: str = ""
    other: str = ""
    content: bytes = b""
    offset: int = 0
    mode: int = 0
    kind: str = ""


class Node:
    """A file, directory or link while operations are replayed."""

    def __init__(self, kind: str, mode: int, content: bytes) -> None:
        self.kind, self.mode, self.content = kind, mode, content
        self.entries: dict[str, int] = {}


class Disk:
    """The nodes of a file system; the root folder is node 0."""

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {0: Node("directory", 0o755, b"")}

    def perform(self, op: Op) -> None:
        """Do one operation; one on a name that is not there does nothing."""
        node = self.nodes.get(op.node)
        holder = self.nodes.get(op.at)
        if op.verb == "make" and holder is not None:
            self.nodes[op.node] = node or Node(op.kind, op.mode, op.content)
            holder.entries[op.name] = op.node
        elif op.verb == "move" and holder is not None:
            if holder.entries.get(op.name) == op.node:
                del holder.entries[op.name]
            # A rename that reached the disk names its node, whether or not its making is there.
            holder.entries[op.other] = op.node
        elif op.verb == "exchange" and holder is not None:
            holder.entries |= {op.name: op.offset, op.other: op.node}
        elif op.verb == "drop" and holder is not None:
            if holder.entries.get(op.name) == op.node:
                del holder.entries[op.name]
        elif node is not None:
            _change(node, op)

    def find(self, path: str) -> int:
        """The node at a path ("" is the root folder); KeyError if there is none."""
        here = 0
        for name in path.split("/"):
            if name:
                here = self.nodes[here].entries[name]
        return here

    def tree(self) -> Tree:
        """Everything by path, in order; "/" is the root folder."""
        found: Tree = {}
        left = [("", 0)]
        while left:
            path, number = left.pop()
            node = self.nodes[number]
            found[path or "/"] = (node.kind, node.mode, node.content)
            left += [(f"{path}/{name}", below) for name, below in node.entries.items()]
        return dict(sorted(found.items()))


def _change(node: Node, op: Op) -> None:
    if op.verb == "write":
        padded = node.content.ljust(op.offset, b"\0")
        node.content = padded[: op.offset] + op.content + padded[op.offset + len(op.content) :]
    elif op.verb == "cut":
        node.content = node.content[: op.offset].ljust(op.offset, b"\0")
    elif op.verb == "mode":
        node.mode = op.mode


class Tape:
    """The operations on a folder, in order. `ops[:begun]` made what was there at the start."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.realpath(folder)
        self.disk = Disk()
        self.ops: list[Op] = []
        self._numbers = 0
        for place, folders, files in os.walk(self.folder):
            for name in sorted([*folders, *files]):
                self._make(f"{place}/{name}")
        self.ops += [Op("sync", number) for number in self.disk.nodes]
        self.begun = len(self.ops)

    def note(self, op: Op) -> None:
        """One more operation was done."""
        self.ops.append(op)
        self.disk.perform(op)

    def node(self, place: str) -> int | None:
        """The node at a place of the machine; None if it is outside the folder."""
        if place != self.folder and not place.startswith(f"{self.folder}/"):
            return None
        return self.disk.find(place[len(self.folder) :])

    def made(self, place: str) -> None:
        """A file, directory or link is new there."""
        if self.node(os.path.dirname(place)) is not None:
            self._make(place)

    def _make(self, place: str) -> None:
        found = os.lstat(place)
        at = self.node(os.path.dirname(place))
        assert at is not None
        content = b""
        if stat.S_ISLNK(found.st_mode):
            kind, content = "symlink", os.fsencode(os.readlink(place))
        elif stat.S_ISDIR(found.st_mode):
            kind = "directory"
        else:
            kind = "file"
            with open(place, "rb") as file:
                content = file.read()
        self._numbers += 1
        mode = found.st_mode & 0o7777
        name = os.path.basename(place)
        self.note(Op("make", self._numbers, at, name, content=content, mode=mode, kind=kind))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Within this context everything that is done to the folder is noted."""
        watched = _Watched(self)
        with pytest.MonkeyPatch.context() as patch:
            for name, replacement in watched.replaced.items():
                patch.setattr(os, name, functools.partial(replacement, getattr(os, name)))
            # The one call that Python has no function for.
            real = exchange.renamed
            patch.setattr(exchange, "renamed", functools.partial(watched.renamed, real))
            yield


class _Watched:
    """What takes the place of the functions of `os`: the function itself, then a note."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.replaced: dict[str, Callable[..., Any]] = {
            name: getattr(self, name)
            for name in ("open", "write", "ftruncate", "fsync", "fchmod", "chmod", "mkdir",
                         "symlink", "link", "rename", "unlink", "rmdir")
        }  # fmt: skip

    def _place(self, name: Any, dir_fd: int | None = None) -> str:
        if isinstance(name, int):
            return os.readlink(f"/proc/self/fd/{name}")
        if str(name).startswith("/proc/self/fd/"):
            return os.readlink(name)
        folder = "" if dir_fd is None else os.readlink(f"/proc/self/fd/{dir_fd}")
        return os.path.join(folder, name)

    def open(self, real: Any, name: Any, flags: int, *rest: Any, **more: Any) -> int:
        place = self._place(name, more.get("dir_fd"))
        new = bool(flags & os.O_CREAT) and not os.path.lexists(place)
        file: int = real(name, flags, *rest, **more)
        if new:
            self.tape.made(place)
        return file

    def write(self, real: Any, file: int, content: Any) -> int:
        place = self._place(file)
        end = os.fstat(file).st_size if place.startswith("/") else 0
        written: int = real(file, content)
        node = self.tape.node(place)
        if node is not None:  # everything we write is written at the end of a file
            self.tape.note(Op("write", node, content=bytes(content[:written]), offset=end))
        return written

    def ftruncate(self, real: Any, file: int, size: int) -> None:
        real(file, size)
        self._note(self._place(file), "cut", offset=size)

    def fsync(self, real: Any, file: int) -> None:
        real(file)
        self._note(self._place(file), "sync")

    def fchmod(self, real: Any, file: int, mode: int) -> None:
        real(file, mode)
        self._note(self._place(file), "mode", mode=mode)

    def chmod(self, real: Any, name: Any, mode: int, **more: Any) -> None:
        real(name, mode, **more)
        self._note(self._place(name, more.get("dir_fd")), "mode", mode=mode)

    def mkdir(self, real: Any, name: Any, *rest: Any, **more: Any) -> None:
        real(name, *rest, **more)
        self.tape.made(self._place(name, more.get("dir_fd")))

    def symlink(self, real: Any, target: Any, name: Any, **more: Any) -> None:
        real(target, name, **more)
        self.tape.made(self._place(name, more.get("dir_fd")))

    def link(self, real: Any, old: Any, new: Any, **more: Any) -> None:
        before = self._place(old, more.get("src_dir_fd"))
        after = self._place(new, more.get("dst_dir_fd"))
        real(old, new, **more)
        node, at = self.tape.node(before), self.tape.node(os.path.dirname(after))
        if node is not None and at is not None:
            self.tape.note(Op("make", node, at, os.path.basename(after), kind="file"))

    def rename(self, real: Any, old: Any, new: Any, **more: Any) -> None:
        before, after = (
            self._place(old, more.get("src_dir_fd")),
            self._place(new, more.get("dst_dir_fd")),
        )
        node, at = self.tape.node(before), self.tape.node(os.path.dirname(before))
        real(old, new, **more)
        assert os.path.dirname(before) == os.path.dirname(after), "renamed within one directory"
        if node is not None and at is not None:
            names = (os.path.basename(before), os.path.basename(after))
            self.tape.note(Op("move", node, at, *names))

    def renamed(self, real: Any, folder: int, old: str, new: str, flags: int) -> bool:
        """renameat2 with its flags."""
        place = self._place(folder)
        at, node = self.tape.node(place), self.tape.node(f"{place}/{old}")
        other = self.tape.node(f"{place}/{new}") if flags == exchange.EXCHANGE else None
        done: bool = real(folder, old, new, flags)
        if done and node is not None and at is not None:
            verb = "move" if other is None else "exchange"
            self.tape.note(Op(verb, node, at, old, new, offset=other or 0))
        return done

    def unlink(self, real: Any, name: Any, **more: Any) -> None:
        place = self._place(name, more.get("dir_fd"))
        real(name, **more)
        self._dropped(place)

    def rmdir(self, real: Any, name: Any, **more: Any) -> None:
        self.unlink(real, name, **more)

    def _dropped(self, place: str) -> None:
        node, at = self.tape.node(place), self.tape.node(os.path.dirname(place))
        if node is not None and at is not None:
            self.tape.note(Op("drop", node, at, os.path.basename(place)))

    def _note(self, place: str, verb: str, **details: Any) -> None:
        node = self.tape.node(place)
        if node is not None:
            self.tape.note(Op(verb, node, **details))


# --- what may be left ------------------------------------------------------------------------


class Cut(NamedTuple):
    """A power cut after `done` operations, of which those in `lost` never reached the disk.

    `torn` are writes of which only a part did, or as many zeroes.
    """

    done: int
    lost: tuple[int, ...]
    torn: tuple[tuple[int, bytes], ...] = ()

    def tree(self, ops: Sequence[Op]) -> Tree:
        """What is on the disk afterwards."""
        disk, torn = Disk(), dict(self.torn)
        # A node can be named by a directory although nothing of its making is there: it is empty.
        for op in ops[: self.done]:
            if op.verb == "make":
                disk.nodes.setdefault(op.node, Node(op.kind, op.mode, op.content))
        for number, op in enumerate(ops[: self.done]):
            if number not in self.lost:
                disk.perform(op._replace(content=torn[number]) if number in torn else op)
        return disk.tree()


def unsafe(ops: Sequence[Op], done: int) -> list[int]:
    """The numbers of the operations, of the first `done`, that no sync has made safe."""
    waiting: dict[int, list[int]] = {}
    for number, op in enumerate(ops[:done]):
        if op.verb == "sync":
            waiting.pop(op.node, None)
        else:
            place = op.at if op.verb in NAMING else op.node
            waiting.setdefault(place, []).append(number)
    return sorted(number for numbers in waiting.values() for number in numbers)


def cuts(ops: Sequence[Op], done: int, most: int = 8) -> Iterator[Cut]:
    """Every power cut after `done` operations, over the last `most` of those that are not safe."""
    loose = unsafe(ops, done)[-most:]
    for choice in range(1 << len(loose)):
        lost = tuple(number for bit, number in enumerate(loose) if choice >> bit & 1)
        yield Cut(done, lost)
        for number in loose:
            content = ops[number].content
            if ops[number].verb == "write" and number not in lost and content:
                half = content[: len(content) // 2]
                for torn in (half, bytes(len(content)), half.ljust(len(content), b"\0")):
                    yield Cut(done, lost, ((number, torn),))
