"""Beds are real surroundings for tests: network namespaces, containers, service managers.

A bed that cannot start is a failure where beds are required (PBXFLEET_REQUIRE_BEDS=1, as in CI)
and a counted skip elsewhere. Only what a bed is installed with may be absent (`bed_optional`). No
other place may skip a test, so no test can be lost silently.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def beds_are_required() -> bool:
    """Whether a bed that cannot start is a failure in this run."""
    return os.environ.get("PBXFLEET_REQUIRE_BEDS", "") not in ("", "0")


def bed_required(name: str, reason: str) -> NoReturn:
    """End the test because its bed cannot start: a failure where beds are required, else a skip."""
    if beds_are_required():
        pytest.fail(f"bed {name} is required and cannot start: {reason}", pytrace=False)
    pytest.skip(f"bed {name} cannot start: {reason}")


def bed_optional(name: str, reason: str) -> NoReturn:
    """End the test because this machine has not what its bed is installed with: a counted skip."""
    pytest.skip(f"bed {name} cannot be installed here: {reason}")


def require_root(name: str) -> None:
    """End the test through `bed_required` unless it runs as root."""
    if os.geteuid() != 0:
        bed_required(name, "it needs root")


def require_programs(name: str, *programs: str) -> None:
    """End the test through `bed_required` unless every program is on the path."""
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        bed_required(name, f"not installed: {' '.join(absent)}")


def require_optional(name: str, *programs: str) -> None:
    """End the test as a counted skip unless PBXFLEET_OPTIONAL_BEDS names this bed; then it is required.

    For beds that are too big for every run, also in CI.
    """
    if name not in os.environ.get("PBXFLEET_OPTIONAL_BEDS", "").split():
        pytest.skip(f"bed {name} is optional: PBXFLEET_OPTIONAL_BEDS={name} asks for it")
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        pytest.fail(f"bed {name} was asked for; not installed: {' '.join(absent)}", pytrace=False)
