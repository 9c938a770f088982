"""The door to this package: a file's name and bytes to its nodes."""

from __future__ import annotations

import re

from pbxfleet.core.diagnostics import Diagnostic, Outcome
from pbxfleet.core.span import whole_file
from pbxfleet.source.nodes import MappingNode
from pbxfleet.source.text import SourceText, decode

_CONFLICT = re.compile(r"^<{7}(?= )|^={7}$|^>{7}(?= )", re.MULTILINE)

SUFFIXES = (".toml", ".yaml", ".yml")


def load(file: str, content: bytes) -> Outcome[MappingNode]:
    """The top-level mapping of a file; `file` is its name in the repository, as spans show it.

    The suffix tells the format. A file without anything but comments gives a mapping without
    entries. Every problem is a diagnostic SRC1xx; no content whatever raises.
    """
    decoded = decode(file, content)
    if decoded.value is None:
        return Outcome(None, decoded.diagnostics)
    if file.endswith(".toml"):
        from pbxfleet.source.toml_reader import read_toml  # each parser costs about 35 ms

        return _without_conflict(read_toml(decoded.value), decoded.value)
    if file.endswith((".yaml", ".yml")):
        from pbxfleet.source.yaml_reader import read_yaml

        return _without_conflict(read_yaml(decoded.value), decoded.value)
    problem = Diagnostic(
        "SRC119",
        "the file's suffix does not tell whether it is TOML or YAML",
        whole_file(file),
        hint=f"known suffixes: {', '.join(SUFFIXES)}",
    )
    return Outcome(None, (problem,))


def _without_conflict(read: Outcome[MappingNode], source: SourceText) -> Outcome[MappingNode]:
    """SRC108 instead of what a parser makes of the marks that a merge left behind."""
    mark = _CONFLICT.search(source.text)
    if read.value is not None or mark is None:
        return read
    problem = Diagnostic(
        "SRC108",
        "a merge conflict was not resolved here",
        source.span(*mark.span()),
        hint="decide for one side and remove the lines with <<<<<<<, ======= and >>>>>>>",
    )
    return Outcome(None, (problem,))


def unreadable(file: str, reason: str) -> Diagnostic:
    """SRC101 for a file that the disk does not give; `reason` as the system words it."""
    return Diagnostic("SRC101", f"the file cannot be read: {reason}", whole_file(file))
