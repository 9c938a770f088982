"""Folders of fleet files in tests: read them, validate them, and print what is said about them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pbxfleet.core.diagnostics import Diagnostic, Outcome, in_order
from pbxfleet.model.desired import Desired
from pbxfleet.schema import validate
from pbxfleet.schema.layout import LEDGER_FILE
from pbxfleet.source.excerpt import render, summary
from pbxfleet.source.load import SUFFIXES, load
from pbxfleet.source.nodes import MappingNode
from pbxfleet.source.text import display_text


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_desired(files: Mapping[str, bytes]) -> Outcome[Desired]:
    """What files (`desired/fleet.toml`) say, with the problems of reading and of validating them."""
    documents: dict[str, MappingNode] = {}
    found: list[Diagnostic] = []
    for name, content in files.items():
        if name.endswith(SUFFIXES) and name != LEDGER_FILE:
            read = load(name, content)
            found += read.diagnostics
            if read.value is not None:
                documents[name] = read.value
    validated = validate(documents, files).outcome
    return Outcome(validated.value, in_order((*found, *validated.diagnostics)))


def printed(files: Mapping[str, bytes], found: Outcome[Desired]) -> str:
    """The diagnostics as `pbxfleet validate` prints them."""
    texts = {name: display_text(content) for name, content in files.items()}
    return render(found.diagnostics, texts) + "\n" + summary(found.diagnostics) + "\n"
