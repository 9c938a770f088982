"""Beds are real surroundings for tests: network namespaces, containers, service managers.

A bed that cannot start is a failure where beds are required (PBXFLEET_REQUIRE_BEDS=1, as in CI)
and a counted skip elsewhere. No other place may skip a test, so no test can be lost silently. Tests of
a bed that is too big for every run are collected only where it is asked for by name; a run says which
it left out.
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


def require_root(name: str) -> None:
    """End the test through `bed_required` unless it runs as root."""
    if os.geteuid() != 0:
        bed_required(name, "it needs root")


def require_programs(name: str, *programs: str) -> None:
    """End the test through `bed_required` unless every program is on the path."""
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        bed_required(name, f"not installed: {' '.join(absent)}")


# Tests of beds that are too big for every run, by the name that asks for them.
ON_REQUEST = {"wine": "tests/beds/test_windows.py"}


def left_out() -> dict[str, str]:
    """The tests of beds that PBXFLEET_OPTIONAL_BEDS does not ask for, by the name of the bed."""
    asked = os.environ.get("PBXFLEET_OPTIONAL_BEDS", "").split()
    return {name: path for name, path in ON_REQUEST.items() if name not in asked}
