"""A rehearsed recovery is a patch that applies and compiles, and what compiles is what was said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.app.compile import compile_fleet
from pbxfleet.app.reading import read_fleet
from pbxfleet.app.recovery_patch import edited
from pbxfleet.app.rehearse import rehearse_fleet
from pbxfleet.core.errors import Refused
from pbxfleet.core.span import Span
from pbxfleet.model.rehearsal import Edit, HostRehearsal
from pbxfleet.source.load import load
from support.beds import require_programs
from support.pages import base_fleet
from support.tree import ROOT


def example(folder: Path) -> Path:
    """A copy of the example fleet, compiled."""
    shutil.copytree(ROOT / "desired", folder / "desired")
    (folder / "compiler/pbxfleet").mkdir(parents=True)
    shutil.copytree(ROOT / "compiler/pbxfleet/standin", folder / "compiler/pbxfleet/standin")
    assert not compile_fleet(str(folder)).failed
    return folder


def command(repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = (sys.executable, "-m", "pbxfleet", "-C", str(repository), *words)
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=120)


def compiled_seats(repository: Path) -> dict[str, dict[str, Any]]:
    """Host, addresses, core and release of every instance after a compile without errors."""
    compiled = compile_fleet(str(repository))
    assert not compiled.failed, compiled.fleet.diagnostics
    resolved = read_fleet(str(repository)).resolved
    assert resolved is not None
    return {
        i.name: {
            "host": host.name,
            "addresses": tuple(str(a.value) for a in i.addresses),
            "cpu": None if i.cpu is None else i.cpu.value,
            "rtp": None if i.rtp is None else str(i.rtp.value),
            "release": i.release.name,
        }
        for host in resolved.hosts
        for i in host.instances
    }


def follows(repository: Path, said: HostRehearsal, before: dict[str, dict[str, Any]]) -> None:
    """After the patch: those that start elsewhere are as said, all others as they were."""
    after = compiled_seats(repository)
    for start in said.starts:
        expected = {k: v for k, v in start.seat._asdict().items() if k != "ports"}
        assert after.pop(start.instance) == {"host": start.host, **expected}
    assert after == {name: seat for name, seat in before.items() if name in after}


@pytest.mark.parametrize("host", ["ber1", "fra1"])
@pytest.mark.parametrize("tool", [("git", "apply"), ("patch", "-p1", "-i")])
def test_the_patch_applies_and_compiles(tmp_path: Path, host: str, tool: tuple[str, ...]) -> None:
    require_programs("patch", tool[0])
    repository = example(tmp_path / "fleet")
    before = compiled_seats(repository)
    done = rehearse_fleet(str(repository), [host], str(tmp_path / "plans"))
    assert done.written == (f"{tmp_path}/plans/{host}.patch",)
    subprocess.run((*tool, done.written[0]), cwd=repository, check=True, timeout=60)
    follows(repository, done.hosts[0], before)
    assert command(repository, "compile", "--check").returncode == 0


# Instances in every way in which their files can be written.
SPELLINGS = {
    "a.toml": b'# first\nhost = "fra1"\naddress = "203.0.113.10"',
    "b.toml": b'\xef\xbb\xbfhost = "fra1" # here\r\n[settings]\r\nsys_name = "B"\r\n',
    "c.yaml": b"""\
# x
host: fra1   # here
listen: {http: '203.0.113.12:80'}
address: 203.0.113.12""",
    "d.yaml": b'---\n{host: fra1, settings: {greeting: "\xc3\xbc"}}\n',
    "e.yaml": b"cpu: 3\nhost: 'fra1'\naddress:\n  - 203.0.113.14\n  - 2001:db8:1::14\n",
    "f.toml": b"""\
host = 'fra1'
rtp = '50000-50999'
address = ['auto-ipv4', 'auto-ipv6']
""",
}

OTHER = b"""\
addresses = ["198.51.100.10-198.51.100.19", "2001:db8:2::10-2001:db8:2::19"]
cpus = "0-7"
rtp = "20000-29999"

[defaults]
release = "69.5"
cpu = "auto"
"""


def test_files_in_every_spelling_are_edited(tmp_path: Path) -> None:
    files = {n: c for n, c in base_fleet().items() if "/instances/" not in n}
    fleet = files["desired/fleet.toml"].decode()
    release = fleet[fleet.index("[releases") : fleet.index("[catalogue]")]
    files["desired/fleet.toml"] = (fleet + "\n" + release.replace("70.5", "69.5")).encode()
    files |= {f"desired/instances/{name}": content for name, content in SPELLINGS.items()}
    files["desired/hosts/fra2.toml"] = OTHER
    for name, content in files.items():
        (tmp_path / "fleet" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fleet" / name).write_bytes(content)
    repository = tmp_path / "fleet"
    before = compiled_seats(repository)
    done = rehearse_fleet(str(repository), ["fra1"], str(tmp_path))
    (said,) = done.hosts
    assert [start.instance for start in said.starts] == list("abcdef")
    subprocess.run(("git", "apply", done.written[0]), cwd=repository, check=True, timeout=60)
    follows(repository, said, before)
    b = (repository / "desired/instances/b.toml").read_bytes()
    assert b.startswith(b'\xef\xbb\xbfhost = "fra2" # here\r\n')
    assert b.endswith(b'[settings]\r\nsys_name = "B"\r\n')
    assert b"host: fra2   # here\n" in (repository / "desired/instances/c.yaml").read_bytes()


words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=5)


@given(words, words, st.booleans())
def test_only_what_is_named_changes(first: str, second: str, crlf: bool) -> None:
    end = "\r\n" if crlf else "\n"
    text = f'# {first}{end}host = "old" # {second}{end}cpu = 3{end}'
    place = Span("a.toml", 2, 8, 2, 13)
    edits = [Edit(place, '"new"'), Edit(place, '"x"', "release"), Edit(place, '"y"', "address")]
    after = edited("a.toml", text.encode(), edits).decode()
    added = f'release = "x"{end}address = "y"{end}'
    assert after == f'# {first}{end}host = "new" # {second}{end}{added}cpu = 3{end}'
    assert load("a.toml", after.encode()).value is not None


def test_a_plan_that_is_no_longer_needed_is_removed(tmp_path: Path) -> None:
    repository = example(tmp_path / "fleet")
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/ber1.patch").write_text("old")
    for name in ("iris", "juniper"):
        (repository / f"desired/instances/{name}.yaml").unlink()
    assert rehearse_fleet(str(repository), ["ber1"], str(tmp_path / "plans")).written == ()
    assert list((tmp_path / "plans").iterdir()) == []


def test_the_command(tmp_path: Path) -> None:
    repository = example(tmp_path / "fleet")
    told = command(repository, "rehearse")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("1 of 2 hosts cannot be lost without loss: fra1 (2 instances)\n")
    assert "ber1 has only 4 free cores: 2 more are needed\n" in told.stdout
    assert command(repository, "rehearse", "--detailed-exitcode").returncode == 2
    assert command(repository, "rehearse", "ber1", "--detailed-exitcode").returncode == 0
    data = json.loads(command(repository, "--json", "rehearse", "fra1").stdout)
    assert (data["format"], data["outcome"]) == (1, "done")
    (host,) = data["hosts"]
    assert [one["instance"] for one in host["taken_over"]] == ["acme"]
    assert [one["instance"] for one in host["no_place"]] == ["elm", "hazel"]
    assert host["missing"] == [{"host": "ber1", "what": "free core", "missing": 2, "free": 4}]
    assert host["starts"][0]["ports"]["http"] == "80"


def test_what_cannot_be_rehearsed(tmp_path: Path) -> None:
    repository = example(tmp_path / "fleet")
    with pytest.raises(Refused, match="fra9 is not a declared host"):
        rehearse_fleet(str(repository), ["fra9"])
    (repository / "desired/instances/birch.toml").write_text('host = "fra9"\n')
    told = command(repository, "rehearse", "--out", str(tmp_path / "plans"))
    assert told.returncode == 1
    assert "REF101" in told.stderr and "nothing was rehearsed" in told.stderr
    assert told.stdout == "" and not (tmp_path / "plans").exists()
