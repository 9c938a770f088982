"""The machine's own `/`, systemd and sysvinit: one scenario, run inside booted hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.nspawn import Bed, interpreter_binds
from support.systemd_bed import SystemdBed, SysvinitBed

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("kind", "bed_kind"), [("systemd", SystemdBed), ("sysv", SysvinitBed)])
def test_a_real_service_manager(tmp_path: Path, kind: str, bed_kind: type[Bed]) -> None:
    with bed_kind(tmp_path, binds=(*interpreter_binds(), str(TESTS))) as bed:
        bed.start(["203.0.113.10"])
        scenario = str(TESTS / "host" / "bed_scenario.py")
        paths = [str(TESTS), str(TESTS.parent / "compiler")]
        code = f"import runpy, sys; sys.path[:0] = {paths!r}; sys.argv = ['', {kind!r}]; "
        done = bed.python("-c", f"{code}runpy.run_path({scenario!r})", check=False, timeout_s=180)
        assert done.stdout == "whole\n", done.stderr
