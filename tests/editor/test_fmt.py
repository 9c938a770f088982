"""`pbxfleet fmt`: what it does to files, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pbxfleet.app.init import init
from support.e2e import in_process

MESSY = 'host   =   "host1"   # why\n\n\n\naddress="203.0.113.10"\n'
TIDY = 'host = "host1"   # why\n\naddress = "203.0.113.10"\n'


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    init(str(folder))
    return folder


def test_a_new_fleet_is_in_form(fleet: Path) -> None:
    done = in_process("fmt", "--check", "-C", fleet)
    assert (done.code, done.out) == (0, "")
    assert "nothing to format" in done.err and "would" not in done.err


def test_check_tells_and_writes_nothing(fleet: Path) -> None:
    file = fleet / "desired/instances/first.toml"
    file.write_text(MESSY, encoding="utf-8")
    done = in_process("fmt", "--check", "-C", fleet)
    assert (done.code, done.out) == (2, "would format desired/instances/first.toml\n")
    assert file.read_text(encoding="utf-8") == MESSY


def test_it_keeps_mode_comments_and_order(fleet: Path) -> None:
    file = fleet / "desired/instances/first.toml"
    file.write_text(MESSY, encoding="utf-8")
    file.chmod(0o640)
    done = in_process("fmt", "-C", fleet)
    assert (done.code, done.out) == (0, "formatted desired/instances/first.toml\n")
    assert file.read_text(encoding="utf-8") == TIDY
    assert file.stat().st_mode & 0o7777 == 0o640
    assert in_process("fmt", "--check", "-C", fleet).code == 0
    assert [p.name for p in file.parent.iterdir()] == ["first.toml"]


def test_a_broken_file_is_reported_and_left_alone(fleet: Path) -> None:
    broken = fleet / "desired/hosts/host2.toml"
    broken.write_text("address =   \nx  = 1\n", encoding="utf-8")
    messy = fleet / "desired/instances/first.toml"
    messy.write_text(MESSY, encoding="utf-8")
    done = in_process("fmt", "-C", fleet)
    assert done.code == 1
    assert "error[SRC120]" in done.err and "1 left alone" in done.err
    assert broken.read_text(encoding="utf-8") == "address =   \nx  = 1\n"
    assert messy.read_text(encoding="utf-8") == TIDY


def test_named_files_only(fleet: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", fleet / "desired/instances/first.toml"
    one.write_text("host:   a\n", encoding="utf-8")
    other.write_text(MESSY, encoding="utf-8")
    assert in_process("fmt", one).code == 0
    assert one.read_text(encoding="utf-8") == "host: a\n"
    assert other.read_text(encoding="utf-8") == MESSY


def test_links_and_what_is_not_there(fleet: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text(MESSY, encoding="utf-8")
    link = fleet / "desired/instances/second.toml"
    link.symlink_to(outside)
    assert in_process("fmt", "-C", fleet).code == 0
    assert in_process("fmt", link, tmp_path / "none.toml").code == 1
    assert outside.read_text(encoding="utf-8") == MESSY and link.is_symlink()


def test_the_ledger_is_left_to_compile(fleet: Path) -> None:
    ledger = fleet / "desired/ledger.toml"
    ledger.write_text("format=1\n", encoding="utf-8")
    assert in_process("fmt", "--check", "-C", fleet).code == 0


def test_json(fleet: Path) -> None:
    (fleet / "desired/instances/first.toml").write_text(MESSY, encoding="utf-8")
    data = json.loads(in_process("fmt", "--check", "--json", "-C", fleet).out)
    assert data == {
        "format": 1,
        "outcome": "differences",
        "changed": ["desired/instances/first.toml"],
        "diagnostics": [],
    }


def test_a_secret_in_a_broken_file_is_not_shown(fleet: Path) -> None:
    file = fleet / "desired/instances/first.toml"
    file.write_text('host = "h"\n[settings]\npw_pass = hunter2 x\n', encoding="utf-8")
    done = in_process("fmt", "-C", fleet)
    assert done.code == 1 and "hunter2" not in done.out + done.err
