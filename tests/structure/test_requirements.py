"""Installs are reproducible: every package pinned, every file by digest, no place named."""

from __future__ import annotations

import re
import tomllib

import pytest

from support.tree import ROOT

FILES = ("runtime.txt", "dev.txt")
PIN = re.compile(r"^([a-z0-9-]+)==[^ ;\\]+(?: ; [^\\]+)? \\$")
DIGEST = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pinned(name: str) -> dict[str, int]:
    """Package to number of digests; fails on any line that is neither a pin nor a digest."""
    found: dict[str, int] = {}
    package = ""
    for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        if pin := PIN.match(line):
            package = pin[1]
            found[package] = 0
        else:
            assert DIGEST.match(line), line
            found[package] += 1
    return found


def wanted(*groups: list[str]) -> set[str]:
    return {
        re.split(r"[<>=!~ ;\[]", text, maxsplit=1)[0].lower().replace("_", "-")
        for group in groups
        for text in group
    }


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_digests(name: str) -> None:
    assert {package for package, count in pinned(name).items() if count == 0} == set()


def test_what_pyproject_asks_for_is_pinned() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert wanted(project["dependencies"]) <= set(pinned("runtime.txt"))
    assert wanted(*project["optional-dependencies"].values()) <= set(pinned("dev.txt"))


def test_developers_run_what_operators_run() -> None:
    lines = {
        name: [
            line
            for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
            if PIN.match(line)
        ]
        for name in FILES
    }
    assert set(lines["runtime.txt"]) <= set(lines["dev.txt"])
