"""What the documents show on a terminal is what a terminal shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.console import commands, is_shown, rewritten
from support.terminal import Shell, shell
from support.tree import ROOT, nothing, project_files, shown

FOLDER = "/srv/fleets"  # what the documents call the folder that a test works in
DOCUMENTS = [
    shown(path)
    for path in project_files()
    if path.suffix == ".md"
    and (path.parent == ROOT or path.is_relative_to(ROOT / "docs"))
    and commands(path.read_text(encoding="utf-8"))
]


def follow(document: str, terminal: Shell) -> tuple[list[str], str]:
    """Do what a document says: what went otherwise, and the document as it should be."""
    wrong, outcomes = [], []
    for command in commands(document):
        real = command.text.replace(FOLDER, str(terminal.folder))
        printed, code = terminal.run(real, command.expected)
        printed = [line.replace(str(terminal.folder), FOLDER) for line in printed]
        outcomes.append((command, printed))
        if code and not command.may_fail:
            wrong += [f"line {command.line + 1}: exit code {code}: {command.text}", *printed]
            break
        if not command.hidden and not is_shown(command.expected, printed):
            wrong += [f"line {command.line + 1}: {command.text}", "prints:", *printed, ""]
    return wrong, rewritten(document, outcomes)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_reader_who_follows_a_document_sees_what_it_shows(
    name: str, tmp_path: Path, update_golden: bool
) -> None:
    path = ROOT / name
    document = path.read_text(encoding="utf-8")
    with shell(tmp_path) as terminal:
        wrong, now = follow(document, terminal)
    if update_golden and now != document:
        path.write_text(now, encoding="utf-8")
    nothing([f"{name}: {line}" for line in wrong])


def test_the_documents_that_show_sessions_are_found() -> None:
    assert {"README.md", "docs/tutorial.md"} <= set(DOCUMENTS)
