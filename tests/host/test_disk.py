"""Files of the machine that pbxfleet runs on: what may be replaced by a file that somebody asked for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.host.disk import write_file


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    fifo, link, folder = tmp_path / "fifo", tmp_path / "link", tmp_path / "folder"
    os.mkfifo(fifo)
    link.symlink_to("/dev/null")
    folder.mkdir()
    for path in (fifo, link, folder):
        before = path.lstat()
        with pytest.raises(HostError):
            write_file(str(path), b"new", 0o600)
        assert os.path.samestat(path.lstat(), before)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fifo", "folder", "link"]


def test_streams_of_this_process_are_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*paths: object) -> None:
        raise AssertionError(f"{paths} must stay")

    monkeypatch.setattr(os, "rename", never)
    for path in ("/dev/null", "/dev/stdout", "/dev/../dev/stderr"):
        with pytest.raises(HostError, match="no file that can be replaced"):
            write_file(path, b"new", 0o600)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_file_and_a_link_to_nothing_are_replaced(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    for path in (link, tmp_path / "file", tmp_path / "file"):
        write_file(str(path), b"new", 0o640)
        assert path.read_bytes() == b"new"
        assert path.lstat().st_mode == stat.S_IFREG | 0o640
