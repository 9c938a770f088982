"""The door to this package: a file's name and bytes to its nodes."""

from __future__ import annotations

from pbxfleet.core.diagnostics import Diagnostic, Outcome
from pbxfleet.core.span import whole_file
from pbxfleet.source.nodes import MappingNode
from pbxfleet.source.text import decode

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

        return read_toml(decoded.value)
    if file.endswith((".yaml", ".yml")):
        from pbxfleet.source.yaml_reader import read_yaml

        return read_yaml(decoded.value)
    problem = Diagnostic(
        "SRC119",
        "the file's suffix does not tell whether it is TOML or YAML",
        whole_file(file),
        hint=f"known suffixes: {', '.join(SUFFIXES)}",
    )
    return Outcome(None, (problem,))


def unreadable(file: str, reason: str) -> Diagnostic:
    """SRC101 for a file that the disk does not give; `reason` as the system words it."""
    return Diagnostic("SRC101", f"the file cannot be read: {reason}", whole_file(file))
