"""What is kept between runs never shows: every run says and writes what one from scratch does."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbxfleet.app import compile as compiling
from pbxfleet.app import incremental, look, workshop
from pbxfleet.app.compile import compile_fleet, validate_fleet
from pbxfleet.app.reading import read_fleet
from pbxfleet.app.workshop import Workshop
from pbxfleet.core.diagnostics import Severity
from pbxfleet.host import cache as caching
from pbxfleet.model import frozen
from support.kept_fleet import (
    NAMES,
    NETS,
    SETTLED_NS,
    Repository,
    assert_as_from_scratch,
    cached_files,
    compared,
    tree,
)

names, hosts = st.sampled_from(NAMES), st.sampled_from(sorted(NETS))
Edit = Callable[[Repository], None]


def appended(name: str, text: str) -> Edit:
    return lambda r: r.write(name, r.read(name) + text)


def tampered(number: int, text: str) -> Edit:
    def edit(repository: Repository) -> None:
        files = repository.rendered()
        if files:
            path = files[number % len(files)]
            before = path.stat()
            path.write_bytes(path.read_bytes()[: -len(text)] + text.encode())
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if nothing had been

    return edit


def removed(number: int) -> Edit:
    def edit(repository: Repository) -> None:
        files = repository.rendered()
        if files:
            files[number % len(files)].unlink()

    return edit


def replaced_by_link(number: int) -> Edit:
    """A file or folder of the tree becomes a link to a copy of itself."""

    def edit(repository: Repository) -> None:
        parts = sorted((repository.folder / "rendered").glob("*/**/*"))
        if parts and not (part := parts[number % len(parts)]).is_symlink():
            copy = part.with_name(f"{part.name}-copy")
            part.rename(copy)
            part.symlink_to(copy.name)

    return edit


def made_program(number: int) -> Edit:
    def edit(repository: Repository) -> None:
        files = repository.rendered()
        if files:
            files[number % len(files)].chmod(0o755)

    return edit


def forgotten(name: str) -> Edit:
    return lambda r: (r.folder / name).unlink(missing_ok=True)


def older_cache(number: int, which: int) -> Edit:
    """Some files of the cache are again what they were some runs ago, or gone."""

    def edit(repository: Repository) -> None:
        folder, before = repository.cache_folder, repository.caches
        old = before[number % len(before)] if before else {}
        for bit, name in enumerate(sorted({*old, *os.listdir(folder)})):
            if which >> bit & 1:
                (folder / name).unlink(missing_ok=True)
                if name in old:
                    (folder / name).write_bytes(old[name])
                    (folder / name).chmod(0o600)

    return edit


EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.builds(lambda n, h, y: lambda r: r.instance(n, h, yaml=y), names, hosts, st.booleans()),
    st.builds(lambda n: lambda r: r.remove(n), names),
    st.builds(lambda a, b: lambda r: r.pair(a, b) if a != b else None, names, names),
    st.builds(lambda h: appended(f"desired/hosts/{h}.toml", "# a remark\n"), hosts),
    st.builds(lambda h: appended(f"desired/hosts/{h}.toml", '[defaults]\ncpu = "auto"\n'), hosts),
    st.just(appended("desired/fleet.toml", "# a remark\n")),
    st.just(appended("desired/fleet.toml", "[defaults.settings]\nlog_length = 300\n")),
    st.just(appended("desired/failover.conf", "# a remark\n")),
    st.builds(
        lambda n: lambda r: r.write("desired/" + n, "x"), st.sampled_from(["note.txt", "f2.conf"])
    ),
    st.builds(lambda h: lambda r: r.host(h, "f2.conf"), hosts),
    st.just(forgotten("desired/note.txt")),
    st.just(forgotten("desired/ledger.toml")),
    st.just(appended("desired/ledger.toml", "# by hand\n")),
    st.builds(tampered, st.integers(0, 99), st.sampled_from(["x", "other"])),
    st.builds(removed, st.integers(0, 99)),
    st.builds(lambda h: lambda r: r.write(f"rendered/{h}/root/stray", "x"), hosts),
    st.builds(replaced_by_link, st.integers(0, 99)),
    st.builds(made_program, st.integers(0, 99)),
    st.builds(older_cache, st.integers(0, 5), st.integers(0, 255)),
    # Broken, and in a way that the next edit of the same instance repairs.
    st.builds(lambda n: lambda r: r.instance(n, "fra1", more="cpus = 3"), names),
    st.builds(lambda n: lambda r: r.instance(n, "nowhere"), names),
    st.builds(lambda n: lambda r: r.instance(n, "fra1", yaml=True, more="cpu: 3\n"), names),
)


@settings(max_examples=60)
@given(
    edits=st.lists(EDITS, min_size=1, max_size=6),
    check=st.booleans(),
    large=st.sampled_from([False, False, True]),
)
def test_every_run_is_as_one_from_scratch(edits: list[Edit], check: bool, large: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if large:
            on_two_cores(patch)
        repository = Repository(Path(folder) / "fleet")
        compile_fleet(str(repository.folder))
        for edit in edits:
            repository.note_cache()
            edit(repository)
            assert_as_from_scratch(repository, check=check)


def on_two_cores(patch: pytest.MonkeyPatch) -> None:
    """As a large fleet is compiled where there are two cores."""
    patch.setattr(look, "WORTH_IT_BYTES", 0)
    patch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def test_only_what_a_change_concerns_is_worked_out(tmp_path: Path, worked_out: list[str]) -> None:
    """Else the test above would compare the long way with itself."""
    repository = Repository(tmp_path / "fleet")
    repository.pair("gamma", "delta")

    def after(edit: Edit) -> list[str]:
        edit(repository)
        worked_out.clear()
        compile_fleet(str(repository.folder))
        return sorted(worked_out)

    assert after(lambda r: None) == ["ams1", "fra1", "lon1"]
    assert after(lambda r: None) == []
    assert after(lambda r: r.instance("echo", "ams1")) == ["ams1"]
    peers = appended("desired/instances/delta.toml", "# a remark\n")
    assert after(peers) == ["fra1", "lon1"]  # each half stands in the other's failover file
    assert after(appended("desired/failover.conf", "# a remark\n")) == ["ams1", "fra1", "lon1"]
    assert after(removed(0)) == ["ams1"]
    worked_out.clear()
    validate_fleet(str(repository.folder))
    assert worked_out == []


def test_the_name_of_the_fleet_file_counts(tmp_path: Path) -> None:
    """It stands in every manifest; in YAML the same bytes can have two names."""
    repository = Repository(tmp_path / "fleet")
    text = json.dumps(tomllib.loads(repository.read("desired/fleet.toml")))
    forgotten("desired/fleet.toml")(repository)
    repository.write("desired/fleet.yaml", text)
    compile_fleet(str(repository.folder))
    (repository.folder / "desired/fleet.yaml").rename(repository.folder / "desired/fleet.yml")
    compiled = compile_fleet(str(repository.folder))
    assert "rendered/fra1/manifest.json" in compiled.changed
    assert compiling._from_scratch(str(repository.folder), (), check=True).changed == ()


def test_a_file_that_was_named_before_it_was_there_is_read(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "fleet")
    fleet, (folder, name) = repository.read("desired/fleet.toml"), ("other", "pbx.xml")
    release = fleet[fleet.index('[releases."70.5"]') : fleet.index("[catalogue]")]
    newer = release.replace("70.5", "70.6").replace("reference/pbx.xml", f"{folder}/{name}")
    repository.write("desired/fleet.toml", f"{fleet}\n{newer}")
    before = validate_fleet(str(repository.folder))[0].diagnostics
    assert not any(d.severity is Severity.ERROR for d in before)  # else nothing was kept
    repository.write(f"desired/{folder}/{name}", repository.read("desired/reference/pbx.xml"))
    repository.write("desired/strange/note.txt", "x")
    found = validate_fleet(str(repository.folder))[0].diagnostics
    assert found == read_fleet(str(repository.folder)).diagnostics
    not_read = [d.span.file for d in found if d.span and d.code == "FMT113"]
    assert not_read == ["desired/strange/note.txt"]


def test_without_a_change_no_rendered_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    time.sleep(2 * SETTLED_NS / 1e9)
    compile_fleet(str(repository.folder))
    monkeypatch.setattr(incremental, "holds_exactly", lambda *_: pytest.fail("a tree was read"))
    assert compile_fleet(str(repository.folder)).changed == ()


def test_a_damaged_cache_only_costs_time(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    before = tree(repository.folder)
    for damage in (b"", b"x" * 100, None):
        for entry in cached_files(tmp_path):
            content = entry.read_bytes()
            entry.write_bytes(content[: len(content) // 2] if damage is None else damage)
        assert compile_fleet(str(repository.folder)).changed == ()
        assert tree(repository.folder) == before


def test_a_cache_that_others_can_write_to_is_not_used(
    tmp_path: Path, worked_out: list[str]
) -> None:
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    (folder,) = {entry.parent for entry in cached_files(tmp_path)}
    folder.chmod(0o777)
    names = {entry: entry.stat().st_mtime_ns for entry in cached_files(tmp_path)}
    worked_out.clear()
    assert compile_fleet(str(repository.folder)).changed == ()
    assert {entry: entry.stat().st_mtime_ns for entry in cached_files(tmp_path)} == names


def test_the_cache_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(caching.SWITCH, "off")
    repository = Repository(tmp_path / "fleet")
    assert not compile_fleet(str(repository.folder)).failed
    assert cached_files(tmp_path) == []


def test_a_home_that_is_not_there_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    repository = Repository(tmp_path / "fleet")
    assert not compile_fleet(str(repository.folder)).failed
    assert not (tmp_path / "nobody").exists()


@pytest.mark.parametrize("more", ["", "cpu = 0", 'release = "99"'])
def test_on_several_cores_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    monkeypatch.setattr(workshop, "WORTH_IT", 2)
    on_two_cores(monkeypatch)
    repository = Repository(tmp_path / "fleet")
    repository.pair("gamma", "delta")
    repository.instance("echo", "ams1", more=more)
    shutil.copytree(repository.folder, tmp_path / "scratch")
    quick = compile_fleet(str(repository.folder))
    slow = compiling._from_scratch(str(tmp_path / "scratch"), (), check=False)
    assert compared(quick) == compared(slow)
    assert tree(repository.folder) == tree(tmp_path / "scratch")


def test_another_program_shares_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worked_out: list[str]
) -> None:
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    compile_fleet(str(repository.folder))  # the ledger was there before this one
    worked_out.clear()
    monkeypatch.setattr(incremental, "program_digest", lambda: "another version")
    read: list[int] = []
    ledger = Workshop.ledger
    monkeypatch.setattr(Workshop, "ledger", lambda self: read.append(1) or ledger(self))
    compile_fleet(str(repository.folder))
    assert (worked_out, read) == (["ams1", "fra1", "lon1"], [1])


class Foreign:
    """Runs a command when it is read by an ordinary unpickler."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("false",))


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Foreign()),
        pickle.dumps(os.path.join),
        pickle.dumps(subprocess.Popen),
        b"cpbxfleet.host.disk\nos\n.",
        b"cpbxfleet.app.compile\ncompile_fleet\n.",
        b"",
        b"\x80\x05",
    ],
)
def test_only_records_of_this_program_come_back(content: bytes) -> None:
    assert frozen.thaw(content) is None
