"""What check-jsonschema, which knows nothing of this project, says about files of a fleet."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pbxfleet.core.span import Span
from pbxfleet.source.nodes import MappingNode, Node, SequenceNode
from support.tree import ROOT

PROGRAM = Path(sys.executable).with_name("check-jsonschema")

_ABOUT_KEYS = re.compile("unexpected|does not match")
_QUOTED = re.compile(r"'([^']*)'")
_STEP = re.compile(r"\.([^.\[\]'\"]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]")


class Verdict(NamedTuple):
    """Of one file: `read` is False if the file could not be read; `faults` as the program says them."""

    read: bool
    faults: tuple[tuple[str, str], ...]


def verdicts(kind: str, files: Mapping[str, bytes], folder: Path) -> dict[str, Verdict]:
    """The verdict on each file of one kind (`host`), by name; `folder` is for copies."""
    paths: dict[str, str] = {}
    for number, (name, content) in enumerate(files.items()):
        path = folder / f"{number}{Path(name).suffix}"
        path.write_bytes(content)
        paths[str(path)] = name
    schema = ROOT / "schemas" / f"{kind}.schema.json"
    done = subprocess.run(
        (str(PROGRAM), "--schemafile", str(schema), "-o", "json", *paths),
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    said = json.loads(done.stdout)
    unread = {paths[one["filename"]] for one in said.get("parse_errors", ())}
    faults: dict[str, list[tuple[str, str]]] = {}
    for one in said.get("errors", ()):
        faults.setdefault(paths[one["filename"]], []).append((one["path"], one["message"]))
    return {name: Verdict(name not in unread, tuple(faults.get(name, ()))) for name in files}


def marked(root: MappingNode, fault: tuple[str, str]) -> list[Span]:
    """The places that a fault is about: the value, unknown keys, or the table that lacks one."""
    path, message = fault
    node: Node = root
    key = Span(root.span.file, 1, 1, 1, 1)
    for step in _STEP.finditer(path.removeprefix("$")):
        plain, index, *quoted = step.groups()
        if index is not None and isinstance(node, SequenceNode):
            node = node.items[int(index)]
            continue
        name = plain or next((q for q in quoted if q), None) or index
        entry = node.get(name) if isinstance(node, MappingNode) and name is not None else None
        if entry is None:
            break
        node, key = entry.node, entry.key_span
    if isinstance(node, MappingNode):
        names = _QUOTED.findall(message)
        keys = [entry.key_span for entry in node.entries if entry.key in names]
        if keys and _ABOUT_KEYS.search(message):
            return keys
    return [key] if "is a required property" in message else list(_parts(node))


def _parts(node: Node) -> Iterator[Span]:
    """The place of a value and of everything in it: a [table] and its keys stand apart."""
    yield node.span
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from _parts(item)
    elif isinstance(node, MappingNode):
        for entry in node.entries:
            yield entry.key_span
            yield from _parts(entry.node)


def is_about(place: Span, found: Any) -> bool:
    """Whether a place lies on the lines of another."""
    return bool(found.line <= place.line <= found.end_line)
