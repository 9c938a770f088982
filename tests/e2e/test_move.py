"""`pbxfleet move`: exactly the lines that are meant, shown, and nothing that would be refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.host.terminal import run_on_terminal
from support.ledger_repository import LEDGER, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def ledger(repository: Repository) -> list[str]:
    return (repository.folder / LEDGER).read_text(encoding="utf-8").splitlines()


def refused(repository: Repository, *words: str, code: int = 1) -> Any:
    """A move that is refused, and touches nothing."""
    before = ledger(repository)
    done = repository.pbxfleet("--json", "move", "--auto-approve", *words)
    assert done.code == code, done
    assert ledger(repository) == before
    return done.data["error"]


def test_a_rename_keeps_everything(repository: Repository) -> None:
    before = ledger(repository)
    done = repository.pbxfleet("move", "--auto-approve", "birch", "yew")
    assert (done.code, done.out.count("birch -> yew")) == (0, 3)
    assert ledger(repository) == [line.replace('"birch"', '"yew"') for line in before]
    (repository.folder / "desired/instances/birch.toml").rename(
        repository.folder / "desired/instances/yew.toml"
    )
    repository.compile()
    assert ledger(repository) == [line.replace('"birch"', '"yew"') for line in before]


def test_a_rename_without_it_leaves_a_tombstone(repository: Repository) -> None:
    repository.remove("birch")
    repository.add("yew")
    repository.compile()
    assert 'birch = "fra1"' in ledger(repository)
    assert repository.things()["fra1", "203.0.113.10"] == ["birch"]
    repository.pbxfleet("move", "--auto-approve", "--reallocate", "yew")
    assert repository.pbxfleet("move", "--auto-approve", "birch", "yew").code == 0
    repository.compile()
    assert repository.things()["fra1", "203.0.113.10"] == ["yew"]
    assert 'birch = "fra1"' not in ledger(repository)


def test_another_address_and_core(repository: Repository) -> None:
    before = ledger(repository)
    words = ("birch", "--address", "203.0.113.30", "--cpu", "9")
    checked = repository.pbxfleet("move", *words, "--check")
    assert (checked.code, ledger(repository)) == (2, before)
    done = repository.pbxfleet("--json", "move", "--auto-approve", *words)
    assert (done.code, len(done.data["changes"])) == (0, 4)
    changed = {*before} ^ {*ledger(repository)}
    assert changed == {
        '"203.0.113.10" = "birch"', '"203.0.113.30" = "birch"', '0 = "birch"', '9 = "birch"',
    }  # fmt: skip
    repository.compile()
    assert repository.things()["fra1", "203.0.113.30"] == ["birch"]
    assert repository.pbxfleet("compile", "--check").code == 0


def test_nobody_has_to_follow_a_core(repository: Repository) -> None:
    address = repository.pbxfleet("move", "birch", "--address", "203.0.113.30", "--check")
    core = repository.pbxfleet("move", "birch", "--cpu", "9", "--check")
    assert ("DNS" in address.err, "DNS" in core.err) == (True, False)


def test_a_tombstone_is_released(repository: Repository) -> None:
    repository.remove("birch")
    repository.compile()
    done = repository.pbxfleet("move", "--auto-approve", "--release", "birch")
    assert (done.code, done.out.count("birch -> free")) == (0, 3)
    assert not [line for line in ledger(repository) if "birch" in line]
    repository.add("ash")
    repository.compile()
    assert repository.things()["fra1", "203.0.113.10"] == ["ash"]


def test_what_the_fleet_would_refuse_is_refused(repository: Repository) -> None:
    assert refused(repository, "birch", "--address", "203.0.113.11")["code"] == "ALC104"
    assert refused(repository, "birch", "--address", "198.51.100.1")["code"] == "ALC102"
    core = refused(repository, "birch", "--cpu", "99")
    assert (core["code"], core["hint"]) == ("ALC102", "choose another one")
    assert refused(repository, "birch", "--rtp", "50176-51199")["code"] == "ALC104"
    repository.add("elm", text='host = "{host}"\naddress = "203.0.113.11"\nrtp = "auto"\n')
    repository.compile()
    assert "its files say" in refused(repository, "elm", "--address", "203.0.113.20")["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("birhc", "yew"), "birch"),
        (("birch", "elm"), "holds something already"),
        (("birch", "Yew"), "no name"),
        (("--release", "birch"), "not known to be gone"),
        (("--release", "yew"), "no tombstone"),
        (("birch", "--number", "3"), "nothing of numbers"),
        (("birch", "--address", "2001:db8::1"), "0 addresses of IPv6"),
        (("birch", "--address", "here"), "names nothing"),
        (("birch", "--cpu", "seven"), "pbxfleet move --help"),
    ],
)
def test_what_cannot_be_meant(repository: Repository, words: tuple[str, ...], said: str) -> None:
    error = refused(repository, *words)
    assert said in error["message"] + error["hint"]


def test_a_ledger_that_compile_has_not_written_is_not_rewritten(repository: Repository) -> None:
    path = repository.folder / LEDGER
    lines = ledger(repository)
    at = lines.index('"203.0.113.10" = "birch"')
    lines[at : at + 2] = lines[at + 1], lines[at]
    lines[at] = lines[at].replace("203.0.113.11", "203.0.113.12")
    lines.append('"203.0.113.9" = "elm 2"')
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    error = refused(repository, "birch", "yew")
    assert "not as compile writes it" in error["message"] or error["code"] != "PLN100"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("birch",), "what is to move"),
        (("birch", "--only", "cores"), "--only belongs to"),
        (("birch", "--release", "--reallocate"), "only one of"),
    ],
)
def test_words_that_do_not_fit_together(
    repository: Repository, words: tuple[str, ...], said: str
) -> None:
    assert said in refused(repository, *words, code=64)["message"]


def test_nothing_is_written_unless_somebody_says_so(repository: Repository) -> None:
    before = ledger(repository)
    done = repository.pbxfleet("move", "birch", "yew")
    assert done.code == 1 and "PLN109" in done.err and ledger(repository) == before
    argv = (sys.executable, "-m", "pbxfleet", "-C", str(repository.folder), "move", "birch", "yew")
    typed = run_on_terminal(argv, "no\n", 60)
    assert typed.returncode == 1 and "birch -> yew" in typed.stdout and ledger(repository) == before
    typed = run_on_terminal(argv, "yes\n", 60)
    assert typed.returncode == 0 and ledger(repository) != before
