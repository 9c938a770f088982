"""What compile does with a repository that is not laid out as it should be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pbxfleet.app.compile import Compiled, compile_fleet
from pbxfleet.core.errors import Refused
from support.pages import laid_over


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, content in laid_over({}).items():
        path = tmp_path / "fleet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "fleet"


def said(compiled: Compiled) -> list[str]:
    return [f"{d.span}: {d.code}: {d.message}" for d in compiled.fleet.diagnostics if d.span]


def test_nothing_is_written_or_removed_behind_a_link(repository: Path, tmp_path: Path) -> None:
    """A pull request may hold any link, and the host's tree is made to hold nothing else."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("kept")
    for link, target in (("rendered/fra1", elsewhere), ("rendered", tmp_path)):
        (repository / link).parent.mkdir(exist_ok=True)
        os.symlink(target, repository / link)
        with pytest.raises(Refused, match=f"{link} is not a folder"):
            compile_fleet(str(repository))
        (repository / link).unlink()
        if link != "rendered":
            (repository / "rendered").rmdir()
    assert (elsewhere / "precious").read_text() == "kept"
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "fleet"]


def test_only_what_was_compiled_is_removed_from_rendered(repository: Path) -> None:
    compile_fleet(str(repository))
    rendered = repository / "rendered"
    for name in (".gitkeep", "README.md", "notes/of-ours.txt", "gone1/manifest.json"):
        (rendered / name).parent.mkdir(exist_ok=True)
        (rendered / name).write_text("x")
    assert compile_fleet(str(repository), check=True).changed == ("rendered/gone1/manifest.json",)
    assert compile_fleet(str(repository)).changed == ("rendered/gone1/manifest.json",)
    assert sorted(os.listdir(rendered)) == [".gitkeep", "README.md", "fra1", "notes"]


@pytest.mark.parametrize("folder", ["hosts", "instances"])
def test_a_folder_that_cannot_be_read_is_not_an_empty_one(repository: Path, folder: str) -> None:
    """Else every instance would be taken for removed."""
    place = repository / "desired" / folder
    os.rename(place, repository / "away")
    os.symlink(folder, place)
    looping = (
        f"desired/{folder}:1:1: SRC101: the file cannot be read: is a link that leads to itself"
    )
    assert looping in said(compile_fleet(str(repository)))
    place.unlink()
    place.write_text("")
    found = said(compile_fleet(str(repository)))
    assert (
        f"desired/{folder}:1:1: SRC101: the file cannot be read: is a file, not a folder" in found
    )
    assert not (repository / "rendered").exists()


def test_a_reference_that_cannot_be_read_says_why(repository: Path) -> None:
    reference = repository / "desired/reference/pbx.xml"
    reference.unlink()
    os.mkfifo(reference)
    found = said(compile_fleet(str(repository)))
    assert (
        "desired/reference/pbx.xml:1:1: SRC101: the file cannot be read: is not a regular file"
        in found
    )
    assert not any("FMT113" in line for line in found if "reference" in line)


def test_a_broken_reference_is_not_also_missing(repository: Path) -> None:
    (repository / "desired/reference/pbx.xml").write_text("<config><a></config>")
    assert [line.split(": ")[1] for line in said(compile_fleet(str(repository)))] == ["XML101"]
