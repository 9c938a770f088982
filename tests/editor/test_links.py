"""The lines that lead editors to the schemas: in every file, to a schema that is there and fits."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pbxfleet.app.init import init
from support.tree import ROOT

LINK = re.compile(r"^(?:#:schema|# yaml-language-server: \$schema=) ?(?P<to>\S+)$")
TAPLO = Path(sys.executable).with_name("taplo")
KINDS = {"hosts": "host", "instances": "instance", "desired": "fleet"}


def files_of_people(repository: Path) -> list[Path]:
    found = [*(repository / "desired").glob("*.*ml"), *(repository / "desired").glob("*s/*.*ml")]
    return sorted(p for p in found if p.parent.name in KINDS and p.stem != "ledger")


def wrong_links(repository: Path) -> list[str]:
    wrong = []
    for file in files_of_people(repository):
        match = LINK.match(file.read_text(encoding="utf-8").splitlines()[0])
        schema = (file.parent / match["to"]).resolve() if match else None
        wanted = repository / "schemas" / f"{KINDS[file.parent.name]}.schema.json"
        if schema != wanted.resolve() or not wanted.exists():
            wrong.append(file.name)
    return wrong


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("links") / "fleet"
    init(str(folder))
    return folder


def test_the_example_fleet() -> None:
    assert len(files_of_people(ROOT)) > 5
    assert wrong_links(ROOT) == []


def test_a_new_fleet(fresh: Path) -> None:
    assert len(files_of_people(fresh)) == 3
    assert wrong_links(fresh) == []


def lint(repository: Path, *files: str) -> subprocess.CompletedProcess[str]:
    argv = (str(TAPLO), "lint", "--no-auto-config", *files)
    return subprocess.run(
        argv, cwd=repository, check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("which", ["example", "fresh"])
def test_another_program_follows_them(fresh: Path, which: str) -> None:
    repository = ROOT if which == "example" else fresh
    files = [str(p) for p in files_of_people(repository) if p.suffix == ".toml"]
    done = lint(repository, *files)
    assert done.returncode == 0, done.stderr


def test_and_finds_what_is_wrong(fresh: Path) -> None:
    file = fresh / "desired/hosts/host2.toml"
    file.write_text('#:schema ../../schemas/host.schema.json\nadress = "1"\n', encoding="utf-8")
    done = lint(fresh, str(file))
    assert done.returncode != 0 and "adress" in done.stderr
