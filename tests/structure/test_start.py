"""Starting is cheap: what is not needed is not loaded."""

from __future__ import annotations

import subprocess
import sys

HEAVY = frozenset(
    {
        "asyncio", "deepdiff", "email", "git", "importlib.metadata", "jinja2", "logging", "lxml",
        "pydantic", "rich", "socket", "subprocess", "tomllib", "tree_sitter", "typing_extensions",
        "unittest", "yaml",
    }
)  # fmt: skip

PROBE = """
import sys
from pbxfleet.cli.main import entry
sys.argv = ["pbxfleet", "--help"]
try:
    entry()
except SystemExit as end:
    assert not end.code, end.code
print(*sys.modules, file=sys.stderr)
"""


def test_help_loads_nothing_heavy() -> None:
    argv = (sys.executable, "-c", PROBE)
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "usage: pbxfleet" in done.stdout
    assert HEAVY & set(done.stderr.split()) == set()
