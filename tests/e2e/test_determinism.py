"""The example fleet compiles to the same bytes everywhere, and one instance never moves another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.beds import require_programs
from support.e2e import PROGRAM, environment, nothing_changes, ok
from support.tree import ROOT

COMMITTED = ("rendered", "desired/ledger.toml")
# As many orders of sets and dicts, clocks, languages and permissions as one run can be given.
SURROUNDINGS: dict[str, dict[str, str]] = {
    "hash seed 0": {"PYTHONHASHSEED": "0"},
    "hash seed 4711": {"PYTHONHASHSEED": "4711"},
    "time zone": {"TZ": "Pacific/Kiritimati"},
    "language C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "language Turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
}


def example(folder: Path, *names: str) -> Path:
    """A copy of the example fleet, without what it compiles to unless that is named."""
    for name in ("desired", *names):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def tree(repo: Path) -> dict[str, bytes]:
    """What compile writes, by path."""
    found = {p: p.read_bytes() for p in (repo / "rendered").rglob("*") if p.is_file()}
    found[repo / "desired/ledger.toml"] = (repo / "desired/ledger.toml").read_bytes()
    return {path.relative_to(repo).as_posix(): content for path, content in found.items()}


def modes(repo: Path) -> set[int]:
    return {
        path.stat().st_mode & 0o7777 for path in (repo / "rendered").rglob("*") if path.is_file()
    }


def test_the_committed_tree_is_what_compile_writes() -> None:
    with nothing_changes(ROOT / "rendered", ROOT / "desired"):
        done = ok("compile", "--check", "-C", ROOT)
    assert done.out == ""


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_the_same_bytes_in_other_surroundings(surroundings: str, tmp_path: Path) -> None:
    repo = example(tmp_path / "Ein anderer Ort/ü")
    ok("compile", "-C", repo, env=environment(**SURROUNDINGS[surroundings]))
    assert tree(repo) == tree(ROOT)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_same_files_under_another_umask(umask: int, tmp_path: Path) -> None:
    repo = example(tmp_path)
    done = subprocess.run(
        (str(PROGRAM), "compile", "-C", str(repo)),
        env=environment(),
        umask=umask,
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done
    assert tree(repo) == tree(ROOT)
    assert modes(repo) == {0o644}


def test_the_same_bytes_from_another_folder_and_a_home_that_is_closed(tmp_path: Path) -> None:
    repo = example(tmp_path / "fleet")
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    ok("compile", cwd=repo, env=environment(HOME=str(home), XDG_CACHE_HOME=str(home)))
    assert tree(repo) == tree(ROOT)
    assert {path.name for path in home.iterdir()} <= {"pbxfleet"}  # the cache, for the superuser
    shutil.rmtree(repo / "rendered")
    ok("compile", "-C", "../fleet/./desired/..", cwd=home)
    assert tree(repo) == tree(ROOT)


def test_the_same_bytes_whatever_the_order_of_the_files_on_the_disk(tmp_path: Path) -> None:
    repo = tmp_path / "fleet"
    paths = sorted((p for p in (ROOT / "desired").rglob("*") if p.is_file()), reverse=True)
    for path in paths:
        new = repo / path.relative_to(ROOT)
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(path.read_bytes())
        os.utime(new, (0, 0))
    ok("compile", "-C", repo)
    assert tree(repo) == tree(ROOT)


def test_hosts_are_compiled_alone_as_they_are_together(tmp_path: Path) -> None:
    repo = example(tmp_path)
    ok("compile", "ber1", "-C", repo)
    assert not (repo / "rendered/fra1").exists()
    ok("compile", "fra1", "-C", repo)
    assert tree(repo) == tree(ROOT)


def test_nothing_of_this_machine_is_in_what_is_rendered(tmp_path: Path) -> None:
    repo = example(tmp_path / "a-place-with-a-name")
    ok("compile", "-C", repo)
    for name, content in tree(repo).items():
        assert b"a-place-with-a-name" not in content, name
        assert str(tmp_path).encode() not in content, name


# --- neighbours ------------------------------------------------------------------------------


def others(files: dict[str, bytes], *names: str) -> dict[str, object]:
    """What belongs to no instance of these names: files, resources and allocations."""
    found: dict[str, object] = {}
    of_hosts = set(_files_of_hosts(files))
    for path, content in files.items():
        if path.endswith("manifest.json"):
            data = json.loads(content)
            for resource in data["resources"]:
                if resource["instance"] not in (*names, ""):
                    found[f"{path} {resource['id']}"] = resource
            found |= {
                f"{path} {name}": instance
                for name, instance in data["instances"].items()
                if name not in names
            }
        elif path.endswith("ledger.toml"):
            data = tomllib.loads(content.decode())
            found |= {
                f"ledger {entry}": True
                for entry in _leaves(data)
                if not set(names)
                & {*entry.partition(" = ")[0].split("."), entry.partition(" = ")[2]}
            }
        elif path not in of_hosts and not any(name in path for name in names):
            found[path] = content
    return found


def _files_of_hosts(files: dict[str, bytes]) -> Iterator[str]:
    """Files that are about all instances of a host: lists of backups, addresses, packet filters."""
    for path, content in files.items():
        if path.endswith("manifest.json"):
            folder = path.removesuffix("manifest.json")
            resources = json.loads(content)["resources"]
            yield from (folder + r["source"] for r in resources if r["instance"] == "")


def _leaves(data: object, path: str = "") -> list[str]:
    if isinstance(data, dict):
        return [leaf for k, v in data.items() for leaf in _leaves(v, f"{path}.{k}".lstrip("."))]
    if isinstance(data, list):
        return [leaf for v in data for leaf in _leaves(v, path)]
    return [f"{path} = {data}"]


# In front of all others by name, so that any counting through would move everybody.
NEWCOMER = 'host = "fra1"\n\n[settings]\nsys_name = "New"\n'


def test_a_newcomer_changes_nobody_else(tmp_path: Path) -> None:
    repo = example(tmp_path, "rendered")
    (repo / "desired/instances/aaa.toml").write_text(NEWCOMER, encoding="utf-8")
    ok("compile", "-C", repo)
    after = tree(repo)
    assert others(after, "aaa") == others(tree(ROOT), "aaa")
    assert "rendered/fra1/root/usr/local/pbx-aaa/pbx.xml" in after
    (repo / "desired/instances/aaa.toml").unlink()
    ok("compile", "-C", repo)
    ok("move", "-C", repo, "--auto-approve", "--release", "aaa")  # what it held is given back
    assert tree(repo) == tree(ROOT)


def test_one_that_goes_changes_nobody_else(tmp_path: Path) -> None:
    repo = example(tmp_path, "rendered")
    (repo / "desired/instances/birch.toml").unlink()
    ok("compile", "-C", repo)
    after = tree(repo)
    assert others(after, "birch") == others(tree(ROOT), "birch")
    assert not [path for path in after if "birch" in path]
    ledger = after.pop("desired/ledger.toml").decode()
    assert b"birch" not in b"".join(after.values())
    # What it held stays its own: DNS, phones and firewalls still lead there.
    assert 'birch = "fra1"' in ledger.partition("[tombstones]")[2]


def test_a_new_name_changes_nobody_else(tmp_path: Path) -> None:
    repo = example(tmp_path, "rendered")
    folder = repo / "desired/instances"
    (folder / "elm.yaml").rename(folder / "aspen.yaml")
    ok("compile", "-C", repo)
    assert others(tree(repo), "elm", "aspen") == others(tree(ROOT), "elm", "aspen")


# --- what others read ------------------------------------------------------------------------


def test_systemd_reads_the_rendered_units(tmp_path: Path) -> None:
    require_programs("systemd-analyze", "systemd-analyze")
    # A copy whose executables are there: a unit that starts nothing is complained about.
    root = tmp_path / "root"
    shutil.copytree(ROOT / "rendered/fra1/root", root)
    units = sorted((root / "etc/systemd/system").glob("pbx-*.service"))
    assert len(units) == 8
    for unit in units:
        text = unit.read_text(encoding="utf-8")
        (line,) = [s for s in text.splitlines() if s.startswith("ExecStart=")]
        executable = line.removeprefix("ExecStart=").split()[0]
        unit.write_text(text.replace(executable, "/bin/true"), encoding="utf-8")
    done = subprocess.run(
        ("systemd-analyze", "verify", "--man=no", *map(str, units)),
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    ours = [line for line in done.stderr.splitlines() if "pbx-" in line]
    assert done.returncode == 0 and not ours, done.stderr


def test_shellcheck_reads_the_rendered_scripts() -> None:
    require_programs("shellcheck", "shellcheck")
    scripts = sorted((ROOT / "rendered/ber1/root/etc/init.d").iterdir())
    assert len(scripts) == 3
    done = subprocess.run(
        ("shellcheck", "--shell=sh", *map(str, scripts)),
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
