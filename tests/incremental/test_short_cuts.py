"""Each thing that a kept result depends on, one by one; and that what is left out really is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.app import incremental, look
from pbxfleet.app.compile import compile_fleet, validate_fleet
from pbxfleet.app.workshop import Workshop
from pbxfleet.core.digest import Digest
from pbxfleet.host import stamps
from support.kept_fleet import (
    SETTLED_NS,
    Repository,
    assert_as_from_scratch,
    assert_validated_as_from_scratch,
    cached_files,
)

Step = Callable[[Repository], None]


def change(name: str, old: str, new: str) -> Step:
    """Another text in a file of desired/; it must have been there."""

    def step(repository: Repository) -> None:
        text = repository.read(f"desired/{name}")
        assert old in text
        repository.write(f"desired/{name}", text.replace(old, new))

    return step


def instance(name: str, host: str, more: str = "") -> Step:
    return lambda r: r.instance(name, host, more=more)


def remove(name: str) -> Step:
    return lambda r: r.remove(name)


def put(name: str, text: str) -> Step:
    return lambda r: r.write(f"desired/{name}", text)


def pair(one: str, other: str) -> Step:
    return lambda r: r.pair(one, other)


def both(*steps: Step) -> Step:
    """One step of several."""

    def step(repository: Repository) -> None:
        for each in steps:
            each(repository)

    return step


def declared(name: str, host: str, address: str) -> Step:
    text = f'host = "{host}"\naddress = "{address}"\n[settings]\nsys_name = "{name}"\n'
    return put(f"instances/{name}.toml", text)


CHANGES: dict[str, list[Step]] = {
    "instance": [change("instances/alpha.toml", '"alpha"', '"other"')],
    "host": [change("hosts/fra1.toml", "[", '["203.0.113.70", ')],
    "fleet": [
        change("fleet.toml", "[catalogue]", "[defaults.settings]\nlog_length = 7\n[catalogue]")
    ],
    "reference": [change("reference/pbx.xml", "</", "<!-- a remark --></")],
    "template": [change("failover.conf", "\n", "\nanother line\n")],
    "ledger": [change("ledger.toml", "203.0.113.10", "203.0.113.30")],
    "peer": [
        pair("gamma", "delta"),
        change("instances/delta.toml", 'address = "auto"', 'address = "192.0.2.40"'),
    ],
    "peer's part of the ledger": [
        pair("gamma", "delta"),
        lambda r: compile_fleet(str(r.folder)) and None,
        change("ledger.toml", '"192.0.2.10"', '"192.0.2.50"'),
    ],
    "ledger by hand": [change("ledger.toml", "format", "# by hand\nformat")],
    # What zeta declares was that of one that moved away, and then of one that is gone.
    "gone": [
        both(instance("alpha", "lon1"), declared("zeta", "fra1", "203.0.113.10")),
        remove("alpha"),
    ],
    "host gone": [remove("alpha"), lambda r: (r.folder / "desired/hosts/fra1.toml").unlink()],
    # What two hosts say together, and then no longer, in files that stay as long as they are.
    "together": [
        both(
            instance("gamma", "lon1", 'tenants = ["a.example.com"]'),
            instance("delta", "fra1", 'tenants = ["b.example.com"]'),
        ),
        change("instances/delta.toml", "b.example.com", "a.example.com"),
        change("instances/gamma.toml", "a.example.com", "c.example.com"),
    ],
    "resolved alone": [
        pair("gamma", "delta"),
        change("hosts/lon1.toml", "failover_", "#ilover_"),
    ],
    "checked alone": [
        instance("gamma", "lon1", 'listen = { tftp = "off" }'),
        change("instances/gamma.toml", '"off"', "69"),
    ],
    "not the format": [instance("gamma", "fra1", "cpus = 3"), instance("gamma", "fra1")],
    "impossible": [
        lambda r: r.instance("gamma", "fra1", yaml=True, more="cpu: 0\n"),
        instance("gamma", "fra1"),
    ],
    # Nobody else reads the file once no host names it, which the host itself does not tell.
    "mention": [
        put("odd/spare.conf", "x\n"),
        change("hosts/lon1.toml", '"failover.conf"', '"odd/spare.conf"'),
        change("hosts/lon1.toml", '"odd/spare.conf"', '"failover.conf"'),
    ],
    "stray": [put("odd.toml", "x = 1\n"), lambda r: (r.folder / "desired/odd.toml").unlink()],
}


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "validated"])
@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_shows(tmp_path: Path, what: str, compiled: bool) -> None:
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    for step in CHANGES[what]:
        step(repository)
        if compiled:
            assert_as_from_scratch(repository)
        else:
            assert_validated_as_from_scratch(repository)
    assert_as_from_scratch(repository)


def test_who_is_gone_counts(tmp_path: Path) -> None:
    """What the ledger has of one that lives elsewhere now is free; of one that is gone it is kept."""
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    ledger = repository.read("desired/ledger.toml")
    declared("alpha", "lon1", "192.0.2.44")(repository)
    compile_fleet(str(repository.folder))
    repository.write("desired/ledger.toml", ledger)
    compile_fleet(str(repository.folder), check=True)  # fra1 is rendered as it will be from now on
    repository.remove("alpha")
    assert_as_from_scratch(repository)


def test_conclusions_are_drawn_only_from_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every change would load what is kept of all hosts."""
    drawn: list[int] = []
    conclude = Workshop.conclude
    monkeypatch.setattr(Workshop, "conclude", lambda *args: drawn.append(1) or conclude(*args))
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    counts = []
    for step in (
        change("instances/alpha.toml", "\n[settings]", "\n# a remark\n[settings]"),
        lambda r: r.write(
            "desired/instances/alpha.toml", r.read("desired/instances/alpha.toml") + "# x\n"
        ),
        change("instances/alpha.toml", 'sys_name = "alpha"', 'sys_name = "other"'),
    ):
        drawn.clear()
        step(repository)
        validate_fleet(str(repository.folder))
        counts.append(len(drawn))
    assert counts == [1, 0, 1]  # the places of what follows a remark are others


def test_what_has_got_lost_is_made_again(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    names = sorted(entry.name for entry in cached_files(tmp_path))
    kinds = ("host", "tree")
    hosts = ("ams1", "fra1", "lon1")
    assert names == sorted(["index", "ledger", *(f"{k}-{h}" for k in kinds for h in hosts)])
    for name in names:
        (repository.cache_folder / name).unlink()
        more = f'tenants = ["{name}.example.com"]'
        repository.instance("alpha", "fra1", more=more)
        assert_as_from_scratch(repository)
        compile_fleet(str(repository.folder))
        assert sorted(entry.name for entry in cached_files(tmp_path)) == names
    (repository.folder / "desired/hosts/lon1.toml").unlink()
    compile_fleet(str(repository.folder))
    assert not any("lon1" in entry.name for entry in cached_files(tmp_path))


def test_a_kept_result_of_another_host_is_none(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "fleet")
    for name, host in (("alpha", "fra1"), ("beta", "ams1")):
        repository.instance(name, host, more='tenants = ["a.example.com"]')
    compile_fleet(str(repository.folder))
    for kind in ("host", "tree"):
        one, other = (repository.cache_folder / f"{kind}-{host}" for host in ("fra1", "ams1"))
        other.write_bytes(one.read_bytes())
    repository.instance("alpha", "fra1", more='tenants = ["a.example.com", "b.example.com"]')
    assert_as_from_scratch(repository)


@pytest.mark.parametrize("settled", [True, False])
def test_a_tree_of_another_time_is_not_that_of_the_note(tmp_path: Path, settled: bool) -> None:
    """Two runs at once can leave the index of the one and the trees of the other."""
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    ledger = repository.read("desired/ledger.toml")
    compile_fleet(str(repository.folder))
    index = (repository.cache_folder / "index").read_bytes()
    before = repository.read("desired/instances/alpha.toml")
    change("instances/alpha.toml", 'sys_name = "alpha"', 'sys_name = "other"')(repository)
    compile_fleet(str(repository.folder))
    if settled:
        time.sleep(2 * SETTLED_NS / 1e9)
        compile_fleet(str(repository.folder))
    repository.write("desired/instances/alpha.toml", before)
    assert repository.read("desired/ledger.toml") == ledger
    (repository.cache_folder / "index").write_bytes(index)
    assert_as_from_scratch(repository)


def test_what_changes_while_a_tree_is_read_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path / "fleet")
    with monkeypatch.context() as patch:
        patch.setattr(stamps, "SETTLED_NS", 10**15)  # nothing is stamped
        compile_fleet(str(repository.folder))
    time.sleep(2 * SETTLED_NS / 1e9)
    manifest = repository.folder / "rendered/fra1/manifest.json"
    holds = incremental.holds_exactly

    def disturbed(folder: str, digests: dict[str, Digest]) -> bool:
        found = holds(folder, digests)
        if folder.endswith("/fra1"):
            manifest.write_bytes(b"x" + manifest.read_bytes()[1:])
            time.sleep(2 * SETTLED_NS / 1e9)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(incremental, "holds_exactly", disturbed)
        compile_fleet(str(repository.folder))
    assert compile_fleet(str(repository.folder)).changed == ("rendered/fra1/manifest.json",)


def test_a_ledger_that_was_written_is_not_written_again(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "fleet")
    assert "desired/ledger.toml" in compile_fleet(str(repository.folder)).changed
    found = incremental.survey(str(repository.folder), None)
    assert found is not None
    assert found.ledger is None


@pytest.mark.parametrize("odd", ["child", "folder"])
def test_where_the_second_process_fails_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    monkeypatch.setattr(look, "WORTH_IT_BYTES", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    if odd == "folder":
        (repository.folder / "desired/hosts/fra1.toml").rename(
            repository.folder / "desired/hosts/fra1"
        )
    else:
        parent, seen = os.getpid(), look._seen

        def fails(*args: object) -> object:
            if os.getpid() != parent:
                raise ValueError("of the child's own")
            return seen(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(look, "_seen", fails)
    repository.instance("alpha", "lon1")
    assert_as_from_scratch(repository)


@pytest.mark.parametrize("what", ["folder", "its parent", "entries", "owner", "link"])
def test_a_cache_that_is_not_ours_alone_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worked_out: list[str], what: str
) -> None:
    repository = Repository(tmp_path / "fleet")
    compile_fleet(str(repository.folder))
    folder, entries = repository.cache_folder, cached_files(tmp_path)
    if what == "folder":
        folder.chmod(0o770)
    elif what == "its parent":
        folder.parent.chmod(0o707)
    elif what == "entries":
        for entry in entries:
            entry.chmod(0o620)
    elif what == "owner":
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4711)
    else:
        for entry in entries:
            entry.rename(tmp_path / entry.name)
            entry.symlink_to(tmp_path / entry.name)
    before = {entry: entry.lstat().st_mtime_ns for entry in cached_files(tmp_path)}
    worked_out.clear()
    assert compile_fleet(str(repository.folder)).changed == ()
    anew = worked_out == ["ams1", "fra1", "lon1"]
    unused = {entry: entry.lstat().st_mtime_ns for entry in cached_files(tmp_path)} == before
    assert (anew, unused) == ((True, False) if what in ("entries", "link") else (False, True))
