"""The language servers of tools/editors, each with a fleet as `pbxfleet init` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pbxfleet.app.init import init
from support.beds import bed_required, require_programs
from support.lsp import Server, serving
from support.tree import ROOT

INSTALLED = ROOT / ".venv" / "editors"


def node(name: str, script: str) -> tuple[str, str]:
    """How to run an installed script; ends the test if it cannot be."""
    require_programs(name, "node", "npm")
    if not (INSTALLED / "pbxfleet.stamp").exists():
        bed_required(name, "make editors has not installed it")
    return "node", str(INSTALLED / script)


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new fleet repository."""
    folder = tmp_path_factory.mktemp("editor") / "fleet"
    init(str(folder))
    return folder


@pytest.fixture(scope="session")
def taplo(fleet: Path) -> Iterator[Server]:
    """The language server for TOML."""
    settings = {"evenBetterToml": {"schema": {"enabled": True, "catalogs": []}}}
    with serving(node("taplo", "taplo-server.js"), fleet, settings) as server:
        yield server


@pytest.fixture(scope="session")
def yaml_server(fleet: Path) -> Iterator[Server]:
    """The language server for YAML."""
    script = "node_modules/yaml-language-server/bin/yaml-language-server"
    settings = {"yaml": {"schemaStore": {"enable": False}, "validate": True}}
    argv = (*node("yaml-language-server", script), "--stdio")
    with serving(argv, fleet, settings) as server:
        yield server
