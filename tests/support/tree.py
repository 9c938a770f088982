"""The project's own files, for tests about how it is written."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "compiler" / "pbxfleet"


@functools.cache
def project_files() -> tuple[Path, ...]:
    """Every file that is in the repository or would be with the next commit, in path order."""
    argv = ("git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard")
    listed = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, timeout=60).stdout
    paths = {ROOT / name for name in listed.decode().split("\0") if name}
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(below: Path = ROOT) -> tuple[Path, ...]:
    """The Python files of the project below a folder."""
    return tuple(p for p in project_files() if p.suffix == ".py" and p.is_relative_to(below))


def shown(path: Path) -> str:
    """A path of the project as people write it."""
    return path.relative_to(ROOT).as_posix()


def nothing(found: list[str]) -> None:
    """Fails with one line per finding."""
    assert not found, "\n" + "\n".join(found)
