"""Where a compiled value comes from, in every combination of layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet
from pbxfleet.app.explain import explain_setting, explained_data, explained_text
from pbxfleet.core.errors import Refused
from support.pages import laid_over

HOST = """
[defaults]
listen = { http = 8080 }
settings = { log_duration = 20, log_event_sip = { value = 2, ownership = "seeded" }, greeting = "x" }
"""
DEFAULTS = """[defaults]
unset = ["greeting"]
settings = { log_duration = 10, log_event_sip = 1, sys_wildcard = "f" }
"""
ALPHA = """host = "fra1"
address = "203.0.113.10"
unset = ["sys_wildcard"]

[settings]
log_event_sip = 9
pw_pass = { secret = "alpha/admin" }
odd = { value = "a & b", raw = true }
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, content in laid_over({}).items():
        text = content.decode()
        match name:
            case "desired/fleet.toml":
                text = text.replace("[defaults]\n", DEFAULTS)
            case "desired/hosts/fra1.toml":
                text += HOST
            case "desired/instances/alpha.toml":
                text = ALPHA
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert not compile_fleet(str(tmp_path)).failed
    return tmp_path


def word_at(repository: Path, place: str) -> str:
    """What stands in the file at a place, up to its next blank."""
    file, line, column = place.split(":")
    return (repository / file).read_text().splitlines()[int(line) - 1][int(column) - 1 :].split()[0]


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        ("beta/log_duration", "'20'", ["20,", "10,"]),
        ("alpha/log_event_sip", "'9'", ["9", "2,", "1,"]),
        ("beta/log_event_sip", "'2'", ["2,", "1,"]),
        ("alpha/greeting", "'x'", ['"x"', '"greeting"]', "Welcome</greeting>"]),
        ("alpha/sys_wildcard", "removed (unset)", ['"sys_wildcard"]', '"f"']),
        ("alpha/pw_pass", "the secret alpha/admin", ['"alpha/admin"']),
        ("alpha/odd", "'a & b'", ['"a']),
        (
            "beta/listen.http",
            "'203.0.113.11:8080'",
            ["8080", "80,", "198.51.100.10:80</ip_http_port>"],
        ),
        (
            "alpha/rtp_bind_ip4",
            "'203.0.113.10'",
            ['"203.0.113.10"', "198.51.100.10</rtp_bind_ip4>"],
        ),
        ("alpha/rtp_port_start", "'49152'", ['"49152-64511"', "49152</rtp_port_start>"]),
    ],
)
def test_every_layer_is_named_nearest_first(
    repository: Path, what: str, value: str, words: list[str]
) -> None:
    found = explain_setting(str(repository), f"fra1/{what}")
    assert f"= {value}\n" in explained_text(found)
    places = [layer.place for layer in found.layers]
    assert [word_at(repository, place) for place in places[: len(words)]] == words
    assert [layer.wins for layer in found.layers] == [True] + [False] * (len(places) - 1)


def test_what_changed_since_the_compile_is_said(repository: Path) -> None:
    (repository / "desired/instances/alpha.toml").write_text(ALPHA + 'sys_name = "new"\n')
    found = explain_setting(str(repository), "fra1/alpha/odd")
    assert found.stale == ("desired/instances/alpha.toml",)
    assert "changed since: desired/instances/alpha.toml (run pbxfleet compile)" in explained_text(
        found
    )
    assert explained_data(found)["stale"] == ["desired/instances/alpha.toml"]
    with pytest.raises(Refused, match="sys_name is not declared for alpha") as caught:
        explain_setting(str(repository), "fra1/alpha/sys_name")
    assert "run pbxfleet compile" in caught.value.hint
