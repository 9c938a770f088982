"""What commands really print and write is what the published schemas say, and no key is untold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pbxfleet.cli.commands import COMMANDS
from pbxfleet.schema.outputs import document_of
from support.e2e import Done, Site, applied_site, in_process
from support.output_schemas import judge
from support.tree import ROOT


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = applied_site(tmp_path)
    (site.root / "etc/pbx/backup.list").write_text("/home\n", encoding="utf-8")
    (site.root / "etc/pbx/backup-alpha.list").unlink()
    (site.root / "etc/systemd/system/pbx-alpha.service").chmod(0o600)
    site.edit("desired/instances/beta.yaml", "Beta", "Second")
    site.compile()
    return site


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example fleet, in which a host is too small for what it would have to take over."""
    folder = tmp_path / "example"
    shutil.copytree(ROOT / "desired", folder / "desired")
    shutil.copytree(ROOT / "rendered", folder / "rendered")
    return folder


def judged(*words: str | Path, code: int = 0) -> Done:
    """Run a command, whose document must be as the schema of the command says."""
    done = in_process("--json", *words)
    assert done.code == code, done
    judge(document_of(next(w for w in map(str, words) if w in NAMES)), done.data)
    return done


NAMES = [command.name for command in COMMANDS]
# What the commands are judged by below, or in another test that names them.
ELSEWHERE = {
    "diff": "test_diff.py",
    "demo": "test_demo.py",
    "release": "test_release.py",
    "rollback": "test_rollback.py",
    "confirm": "test_confirm.py",
}
ON_HOST = ("plan", "show", "drift", "status", "history", "apply", "validate", "compile")
OF_EXAMPLE: tuple[tuple[str, ...], ...] = (
    ("validate",),
    ("compile", "--check"),
    ("addresses",),
    ("addresses", "fra1"),
    ("capacity",),
    ("rehearse",),
    ("rehearse", "fra1", "--out", "{folder}/recovery"),
    ("report",),
    ("report", "fra1", "--out", "{folder}/fra1.html"),
    ("fmt", "--check"),
    ("explain",),
    ("explain", "bnd101"),
    ("explain", "fra1/acme/sys_name"),
    ("explain", "fra1/acme/pbx.xml:4", "--root", "{folder}"),
    ("explain", "fra1:/etc/systemd/system/pbx-acme.service", "--root", "{folder}"),
    ("learn", "{folder}/desired/reference/pbx-70.xml"),
    ("learn", "--names", "{folder}/desired/reference/pbx-70.xml"),
    ("release", "list"),
    ("release", "prune", "--check"),
    ("move", "--auto-approve", "hazel", "oak"),
    ("init", "{folder}/new"),
    ("init", "--sandbox", "{folder}/sandbox"),
    ("schema",),
    ("schema", "--write", "{folder}/schemas"),
    ("completion", "bash"),
    ("completion", "zsh"),
)


@pytest.mark.parametrize("words", OF_EXAMPLE, ids=" ".join)
def test_documents_of_the_example_fleet(example: Path, words: tuple[str, ...]) -> None:
    judged("-C", example, *(word.format(folder=example) for word in words))


def test_each_command_is_judged() -> None:
    """A new command needs a schema, and a row here."""
    here = {words[0] for words in OF_EXAMPLE} | {*ON_HOST}
    assert sorted(here | {*ELSEWHERE}) == sorted(NAMES)
    for command, file in ELSEWHERE.items():
        text = Path(__file__).with_name(file).read_text(encoding="utf-8")
        assert f'judge(document_of("{command}")' in text


def test_documents_of_commands_on_a_host(site: Site, tmp_path: Path) -> None:
    on_host = (site.host, "--root", site.root, "-C", site.repo)
    stored = tmp_path / "stored.plan"
    judged("validate", "-C", site.repo)
    judged("compile", "-C", site.repo)
    judged("plan", *on_host, "--out", stored)
    judged("show", stored)
    judged("drift", *on_host, code=2)
    judged("drift", *on_host, "--adopt", code=2)
    judged("status", *on_host)
    judged("apply", *on_host, "--auto-approve")
    judged("apply", *on_host, "--auto-approve")
    judged("plan", *on_host)
    judge("planfile.schema.json", json.loads(stored.read_text(encoding="utf-8")))


BROKEN: tuple[tuple[str, ...], ...] = (
    ("validate",),
    ("compile",),
    ("addresses",),
    ("capacity",),
    ("rehearse",),
    ("report",),
)


@pytest.mark.parametrize("words", BROKEN, ids=" ".join)
def test_documents_of_a_broken_fleet(example: Path, words: tuple[str, ...]) -> None:
    file = example / "desired/instances/birch.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('host = "fra1"', 'hots = "fra1"'), encoding="utf-8")
    done = judged("-C", example, *words, code=1)
    assert [d for d in done.data["diagnostics"] if d["severity"] == "error"]
    assert done.data.get("hosts", []) == []


def test_documents_about_broken_and_changed_files(example: Path) -> None:
    file = example / "desired/instances/birch.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(" = ", "  =  "), encoding="utf-8")
    assert judged("-C", example, "fmt", "--check", code=2).data["changed"]
    judged("-C", example, "compile", "--check", code=2)
    assert judged("-C", example, "explain", "fra1/birch/sys_name").data["stale"]
    file.write_text(text + "[[\n", encoding="utf-8")
    assert judged("-C", example, "fmt", code=1).data["diagnostics"]


REFUSED: tuple[tuple[str, ...], ...] = (
    ("plan", "nobody", "--root", "{folder}"),
    ("addresses", "nobody"),
    ("capacity", "nobody"),
    ("rehearse", "nobody"),
    ("report", "nobody"),
    ("diff", "--merge-base", "nobody"),
    ("explain", "NIX999"),
    ("explain", "fra1:/etc/nothing:1"),
    ("learn", "nothing.xml"),
    ("move", "nobody", "somebody"),
    ("release", "fetch", "99.9"),
    ("release", "add", "70.5", "a", "b"),
    ("init", "{folder}"),
)


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_documents_of_refusals(example: Path, words: tuple[str, ...]) -> None:
    done = in_process("--json", "-C", example, *(w.format(folder=example) for w in words))
    assert done.code == 1
    judge("error.schema.json", done.data)


@pytest.mark.parametrize(
    "host", sorted(p.name for p in (ROOT / "rendered").iterdir() if p.is_dir())
)
def test_rendered_files(host: str) -> None:
    folder = ROOT / "rendered" / host
    judge("manifest.schema.json", json.loads((folder / "manifest.json").read_text("utf-8")))
    for settings in (folder / "settings").glob("*.json"):
        judge("settings.schema.json", json.loads(settings.read_text(encoding="utf-8")))


def test_an_untold_key_is_found() -> None:
    document = {"format": 1, "outcome": "done", "diagnostics": [], "suppressed": [], "more": 1}
    with pytest.raises(AssertionError, match="more"):
        judge("diagnostics.schema.json", document)
