"""Places in the ledger move whenever any host gets something: none that is kept is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet, validate_fleet
from pbxfleet.app.reading import read_fleet
from support.pages import laid_over

HOST = """\
addresses = ["{net}.10-{net}.60"]
rtp = "49152-64511"
failover_file = "/etc/pbx/failover-{{instance}}.conf"
failover_template = "failover.conf"
"""
ODD_BLOCK = """\
format = 2

[tombstones]

[hosts.lon1.addresses]
"192.0.2.10" = "echo"

[hosts.lon1.rtp]
49153-50176 = "echo"
"""


def put(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    for name, content in laid_over({}).items():
        if "/instances/" not in name:
            put(folder, name, content)
    put(folder, "desired/hosts/ams1.toml", HOST.format(net="198.51.100"))
    put(folder, "desired/hosts/lon1.toml", HOST.format(net="192.0.2"))
    put(folder, "desired/instances/echo.toml", 'host = "lon1"\nrtp = "auto"\n')
    put(folder, "desired/ledger.toml", ODD_BLOCK)
    return folder


def lines_told(folder: Path, code: str) -> set[int]:
    """The lines of the ledger that a code is told with; what is kept says the same as a full look."""
    told, *_ = validate_fleet(str(folder))
    assert told.diagnostics == read_fleet(str(folder)).diagnostics
    found = [d for d in told.diagnostics if d.code == code]
    spans = [s for d in found for s in (d.span, *dict(d.related)) if s is not None]
    return {span.line for span in spans if span.file == "desired/ledger.toml"}


def test_a_place_in_the_ledger_is_that_of_the_ledger_of_today(folder: Path) -> None:
    lines = set()
    for name in ("", "beta", "gamma"):
        if name:
            put(folder, f"desired/instances/{name}.toml", 'host = "ams1"\n')
        compile_fleet(str(folder))
        lines |= lines_told(folder, "RTP103")
    assert len(lines) == 3


def test_a_host_that_only_the_ledger_knows_is_told_as_long_as_it_is_there(folder: Path) -> None:
    (folder / "desired/instances/echo.toml").unlink()
    compile_fleet(str(folder))
    assert lines_told(folder, "ALC111") == set()
    (folder / "desired/hosts/lon1.toml").unlink()
    compile_fleet(str(folder))
    lines = set()
    for name in ("beta", "gamma"):
        put(folder, f"desired/instances/{name}.toml", 'host = "ams1"\n')
        compile_fleet(str(folder))
        lines |= lines_told(folder, "ALC111")
    assert len(lines) == 2


def test_who_is_gone_and_declared_is_told_until_the_ledger_is_written(folder: Path) -> None:
    text = ODD_BLOCK.replace("[tombstones]", '[tombstones]\necho = "lon1"')
    put(folder, "desired/ledger.toml", text)
    assert lines_told(folder, "ALC112") != set()
    compile_fleet(str(folder))
    assert lines_told(folder, "ALC112") == set()
