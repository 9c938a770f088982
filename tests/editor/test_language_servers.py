"""What editors show: the servers that they run, asked over a pipe as they ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.lsp import Server
from support.tree import ROOT

HOST_TOML = "#:schema ../../schemas/host.schema.json\n"
HOST_YAML = "# yaml-language-server: $schema=../../schemas/host.schema.json\n"
INSTANCE_TOML = "#:schema ../../schemas/instance.schema.json\n"
INSTANCE_YAML = "# yaml-language-server: $schema=../../schemas/instance.schema.json\n"


def described(schema: str, key: str) -> str:
    found = json.loads((ROOT / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    text = found["properties"][key]["description"]
    assert isinstance(text, str)
    return text


class TestToml:
    def test_hover_shows_our_description(self, taplo: Server, fleet: Path) -> None:
        text = (fleet / "desired/hosts/host1.toml").read_text(encoding="utf-8")
        uri = taplo.open("desired/hosts/host1.toml", text)
        lines = text.splitlines()
        line = next(n for n, words in enumerate(lines) if words.startswith("reserve_address"))
        assert described("host", "reserve_address") in taplo.hover(uri, line, 3)

    def test_completion_offers_keys(self, taplo: Server) -> None:
        uri = taplo.open("desired/instances/a.toml", INSTANCE_TOML + 'host = "host1"\n\n')
        assert {"failover", "address", "cpu"} <= set(taplo.completions(uri, 2, 0))

    def test_completion_in_a_table(self, taplo: Server) -> None:
        uri = taplo.open("desired/instances/b.toml", INSTANCE_TOML + 'host = "h"\n[failover]\n\n')
        assert {"role", "peer"} <= set(taplo.completions(uri, 3, 0))

    def test_an_unknown_key_and_a_wrong_value_are_marked(self, taplo: Server) -> None:
        text = INSTANCE_TOML + 'host = "host1"\nadress = "203.0.113.10"\ncpu = "many"\n'
        marks = taplo.wait_for_diagnostics(taplo.open("desired/instances/c.toml", text))
        at = {(m["range"]["start"]["line"], m["range"]["end"]["character"]) for m in marks}
        assert any("'adress' was unexpected" in m["message"] for m in marks)
        assert {(2, len("adress")), (3, len("cpu"))} <= at


class TestYaml:
    def test_hover_shows_our_description(self, yaml_server: Server) -> None:
        uri = yaml_server.open("desired/hosts/a.yaml", HOST_YAML + "reserve_address: true\n")
        shown = yaml_server.hover(uri, 1, 3).replace("\\", "")
        assert described("host", "reserve_address") in shown

    def test_completion_offers_keys(self, yaml_server: Server) -> None:
        uri = yaml_server.open("desired/instances/a.yaml", INSTANCE_YAML + "host: host1\n\n")
        assert {"failover", "address", "cpu"} <= set(yaml_server.completions(uri, 2, 0))

    def test_completion_of_words(self, yaml_server: Server) -> None:
        text = INSTANCE_YAML + "host: host1\nfailover:\n  role: \n"
        uri = yaml_server.open("desired/instances/b.yaml", text)
        assert {"primary", "secondary"} <= set(yaml_server.completions(uri, 3, 8))

    def test_an_unknown_key_is_marked(self, yaml_server: Server) -> None:
        text = INSTANCE_YAML + "host: host1\nadress: 203.0.113.10\n"
        (mark,) = yaml_server.wait_for_diagnostics(
            yaml_server.open("desired/instances/c.yaml", text)
        )
        assert "adress" in mark["message"]
        assert mark["range"] == {
            "start": {"line": 2, "character": 0},
            "end": {"line": 2, "character": len("adress")},
        }


@pytest.mark.parametrize(
    "name",
    sorted(p.relative_to(ROOT / "desired").as_posix() for p in (ROOT / "desired").rglob("*.yaml")),
)
def test_the_example_fleet_has_no_marks(yaml_server: Server, name: str) -> None:
    """Marks come in order: those of a later file with an error prove that this one has none."""
    uri = yaml_server.open(f"desired/{name}", (ROOT / "desired" / name).read_text(encoding="utf-8"))
    stem = name.replace("/", "-")
    last = yaml_server.open(f"desired/hosts/{stem}-last.yaml", HOST_YAML + "adress: 1\n")
    yaml_server.wait_for_diagnostics(last)
    assert yaml_server.diagnostics.get(uri, []) == []
