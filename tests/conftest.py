"""For every test: reproducible examples, and no in-process test reaches this machine's /."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from support import beds, guard
from support.tree import ROOT

# Derandomised: a failure in CI is the same failure at a desk.
# No deadline: a busy machine is not a bug.
_COMMON = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("dev", parent=_COMMON, max_examples=50)
settings.register_profile("ci", parent=_COMMON, max_examples=200)
# Commands that tests start would wait for every other test on the same cores.
os.environ["PBXFLEET_PRIORITY"] = "normal"
settings.load_profile("ci" if os.environ.get("PBXFLEET_REQUIRE_BEDS") else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files from what the program says now; review the diff",
    )


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the tests of beds that nobody asked for; None lets pytest decide."""
    here = collection_path.relative_to(ROOT).as_posix() if ROOT in collection_path.parents else ""
    return True if here in beds.left_out().values() else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not even collected, so that nobody takes it for passed."""
    for name, path in beds.left_out().items():
        terminalreporter.line(f"not run: {path} (PBXFLEET_OPTIONAL_BEDS={name} asks for it)")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are rewritten instead of compared."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session", autouse=True)
def _this_machine_is_out_of_reach() -> Iterator[None]:
    with guard.installed():
        yield


@pytest.fixture(autouse=True)
def _real_root_marker(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("real_root") is None:
        yield
        return
    with guard.lifted():
        yield
