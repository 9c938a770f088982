"""What is kept: whole or not at all, and never of another program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pbxfleet.host.cache import DIGEST_BYTES, Cache, cache_of, program_digest
from support.tree import PACKAGE


def test_one_wrong_byte_and_an_entry_is_none(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    cache.put("entry", b"content")
    whole = (tmp_path / "entry").read_bytes()
    for place in (0, DIGEST_BYTES - 1, DIGEST_BYTES, len(whole) - 1):
        assert cache.get("entry") == b"content"
        (tmp_path / "entry").write_bytes(
            whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        )
        assert cache.get("entry") is None
        (tmp_path / "entry").write_bytes(whole)
    cache.drop("entry")
    assert (cache.get("entry"), cache.size_bytes("entry")) == (None, 0)


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_the_folder_is_made_for_the_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    base = tmp_path / "not there" / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(base))
    before = os.umask(umask)
    try:
        assert cache_of(str(tmp_path)).is_usable
    finally:
        os.umask(before)
    made = [base, *base.rglob("*")]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 3


def test_a_home_that_is_not_there_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    assert not cache_of(str(tmp_path)).is_usable
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_of(str(tmp_path)).is_usable
    assert not (tmp_path / "nonexistent").exists()


def test_another_library_is_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = program_digest()
    assert program_digest() == before
    (tmp_path / "site-packages" / "library-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    first = program_digest()
    (tmp_path / "site-packages" / "library-1.0.dist-info").rename(
        tmp_path / "site-packages" / "library-1.1.dist-info"
    )
    assert len({before, first, program_digest()}) == 3


def test_another_file_is_another_program(tmp_path: Path) -> None:
    package = tmp_path / "pbxfleet"
    for part in ("host", "core"):
        shutil.copytree(PACKAGE / part, package / part)
    shutil.copy(PACKAGE / "__init__.py", package)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    code += "from pbxfleet.host.cache import program_digest; print(program_digest())"
    argv = (sys.executable, "-IS", "-c", code)

    def told() -> str:
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout

    before = told()
    assert told() == before
    source = package / "core" / "exits.py"
    source.write_bytes(source.read_bytes())
    assert told() != before
