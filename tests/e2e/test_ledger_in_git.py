"""The ledger in git: branches merge, or conflict, or are refused; nothing is shared silently.

Real merges of real repositories, compiled by the command itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.ledger_repository import AUTO, LEDGER, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def adds(name: str, host: str = "fra1", text: str = AUTO) -> Callable[[Repository], None]:
    return lambda repository: repository.add(name, host, text)


def removes(name: str) -> Callable[[Repository], None]:
    return lambda repository: repository.remove(name)


def renames(old: str, new: str) -> Callable[[Repository], None]:
    def change(repository: Repository) -> None:
        done = repository.pbxfleet("move", "--auto-approve", old, new)
        assert done.code == 0, done
        assert repository.git("mv", f"desired/instances/{old}.toml",
                              f"desired/instances/{new}.toml") == 0  # fmt: skip

    return change


@pytest.mark.parametrize("names", [("ash", "fir"), ("fir", "ash"), ("cherry", "dogwood")])
def test_two_on_one_host_conflict_wherever_their_names_stand(
    repository: Repository, names: tuple[str, str]
) -> None:
    assert not repository.merge(adds(names[0]), adds(names[1]))
    assert repository.pbxfleet("validate").code == 1
    base = {"birch", "elm", "cedar", "oak"}
    repository.keep(both=False)
    repository.nothing_is_shared()
    assert {n for held in repository.things().values() for n in held} == base | set(names)


def test_both_lines_kept_are_refused_by_name_and_repaired_by_move(repository: Repository) -> None:
    assert not repository.merge(adds("ash"), adds("fir"))
    repository.keep(both=True)
    refused = repository.pbxfleet("validate")
    assert refused.code == 1
    assert refused.err.count("ALC104") == 3
    lines = (repository.folder / LEDGER).read_text(encoding="utf-8").splitlines()
    for name in ("ash", "fir"):
        at = lines.index(f'"203.0.113.12" = "{name}"') + 1
        assert f"{LEDGER}:{at}:1: note: remembered for {name} here" in refused.err
    before = repository.things()
    assert repository.pbxfleet("move", "--auto-approve", "--reallocate", "fir").code == 0
    repository.nothing_is_shared()
    after = repository.things()
    assert all(after[key] == [n for n in names if n != "fir"] for key, names in before.items())


def test_different_hosts_merge(repository: Repository) -> None:
    assert repository.merge(adds("ash", "fra1"), adds("fir", "ber1"))
    before = repository.things()
    repository.nothing_is_shared()
    assert repository.things() == before


def test_one_is_removed_and_one_is_added(repository: Repository) -> None:
    assert repository.merge(removes("birch"), adds("ash"))
    repository.nothing_is_shared()
    assert repository.things()["fra1", "203.0.113.10"] == ["birch"]
    assert repository.things()["fra1", "203.0.113.12"] == ["ash"]


@pytest.mark.parametrize("order", [0, 1])
def test_one_is_renamed_and_one_is_added(repository: Repository, order: int) -> None:
    changes = [renames("elm", "yew"), adds("ash")]
    if not repository.merge(*(changes[::-1] if order else changes)):
        # The lines stand beside each other: keep both, as people do.
        repository.keep(both=True)
        assert repository.pbxfleet("validate").code == 1
        return
    repository.nothing_is_shared()
    assert repository.things()["fra1", "203.0.113.11"] == ["yew"]


def test_two_release_and_reuse_the_same(repository: Repository) -> None:
    repository.remove("birch")
    repository.compile()
    repository.commit("gone")

    def reuses(name: str) -> Callable[[Repository], None]:
        def change(repository: Repository) -> None:
            assert repository.pbxfleet("move", "--auto-approve", "--release", "birch").code == 0
            repository.add(name)

        return change

    assert not repository.merge(reuses("ash"), reuses("fir"))


def test_one_declares_what_the_other_was_handed_out(repository: Repository) -> None:
    text = 'host = "{host}"\naddress = "203.0.113.12"\nrtp = "auto"\n'
    merged = repository.merge(adds("ash"), adds("fir", text=text))
    assert not merged  # both hold it now, and so they write one line
    repository.keep(both=False)
    refused = repository.pbxfleet("validate")
    assert refused.code == 1
    assert "ALC109" in refused.err


def test_two_moves_of_one_instance(repository: Repository) -> None:
    def moves(core: str) -> Callable[[Repository], None]:
        def change(repository: Repository) -> None:
            assert repository.pbxfleet("move", "--auto-approve", "birch", "--cpu", core).code == 0

        return change

    repository.add("fir")
    for core in ("5", "9"):
        repository.add(f"pin{core}", text=f'host = "{{host}}"\naddress = "auto"\ncpu = {core}\n'
                                          'rtp = "auto"\n')  # fmt: skip
    repository.compile()
    repository.commit("more")
    if repository.merge(moves("4"), moves("7")):
        refused = repository.pbxfleet("validate")
        assert refused.code == 1
        assert "ALC107" in refused.err
