"""What commands really print and write is what the published schemas say, and no key is untold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from support.e2e import Site, applied_site, in_process
from support.tree import ROOT


def closed(schema: Any) -> Any:
    """The schema without room for further keys: what is not described is found."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if "properties" in found and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def judge(name: str, document: Any) -> None:
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    faults = Draft202012Validator(closed(schema)).iter_errors(document)
    assert [f"{fault.json_path}: {fault.message}" for fault in faults] == []


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = applied_site(tmp_path)
    (site.root / "etc/pbx/backup.list").write_text("/home\n", encoding="utf-8")
    (site.root / "etc/pbx/backup-alpha.list").unlink()
    (site.root / "etc/systemd/system/pbx-alpha.service").chmod(0o600)
    site.edit("desired/instances/beta.yaml", "Beta", "Second")
    site.compile()
    return site


def test_documents_of_commands(site: Site, tmp_path: Path) -> None:
    on_host = (site.host, "--root", site.root, "--json", "-C", site.repo)
    stored = tmp_path / "stored.plan"
    for name, words in (
        ("diagnostics", ("validate", "--json", "-C", site.repo)),
        ("diagnostics", ("compile", "--json", "-C", site.repo)),
        ("plan", ("plan", *on_host, "--out", stored)),
        ("plan", ("show", stored, "--json")),
        ("drift", ("drift", *on_host)),
        ("status", ("status", *on_host)),
        ("apply", ("apply", *on_host, "--auto-approve")),
        ("apply", ("apply", *on_host, "--auto-approve")),
        ("plan", ("plan", *on_host)),
        ("error", ("plan", "nobody", "--json", "-C", site.repo)),
    ):
        judge(name, in_process(*words).data)
    judge("planfile", json.loads(stored.read_text(encoding="utf-8")))


def test_a_broken_fleet_and_a_stale_one(site: Site) -> None:
    site.edit("desired/instances/beta.yaml", "Second", "Third")
    judge("diagnostics", in_process("compile", "--check", "--json", "-C", site.repo).data)
    site.edit("desired/instances/beta.yaml", "host:", "hots:")
    judge("diagnostics", in_process("validate", "--json", "-C", site.repo).data)


@pytest.mark.parametrize(
    "host", sorted(p.name for p in (ROOT / "rendered").iterdir() if p.is_dir())
)
def test_rendered_files(host: str) -> None:
    folder = ROOT / "rendered" / host
    judge("manifest", json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
    for settings in (folder / "settings").glob("*.json"):
        judge("settings", json.loads(settings.read_text(encoding="utf-8")))


def test_an_untold_key_is_found() -> None:
    document = {"format": 1, "outcome": "done", "diagnostics": [], "more": 1}
    with pytest.raises(AssertionError, match="more"):
        judge("diagnostics", document)
