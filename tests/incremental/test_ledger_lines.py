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


def test_a_place_in_the_ledger_is_that_of_the_ledger_of_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "fleet"
    for name, content in laid_over({}).items():
        if "/instances/" not in name:
            put(folder, name, content)
    put(folder, "desired/hosts/ams1.toml", HOST.format(net="198.51.100"))
    put(folder, "desired/hosts/lon1.toml", HOST.format(net="192.0.2"))
    put(folder, "desired/instances/echo.toml", 'host = "lon1"\nrtp = "auto"\n')
    put(folder, "desired/ledger.toml", ODD_BLOCK)
    lines = []
    for name in ("", "beta", "gamma"):
        if name:
            put(folder, f"desired/instances/{name}.toml", 'host = "ams1"\n')
        compile_fleet(str(folder))
        told, *_ = validate_fleet(str(folder))
        assert told.diagnostics == read_fleet(str(folder)).diagnostics
        (one,) = (d for d in told.diagnostics if d.code == "RTP103")
        lines += [span.line for span, _ in one.related if span.file == "desired/ledger.toml"]
    assert len(set(lines)) == 3
