"""Names of tenants and of the fleet: what reaches the DNS, paths and manifests."""

from __future__ import annotations

import pytest

from support.fleetfiles import read_desired
from support.pages import base_fleet

INSTANCE = "desired/instances/alpha.toml"


def told(key: str, text: str) -> list[tuple[str, str]]:
    value = f'["{text}"]' if key == "tenants" else f'"{text}"'
    content = f'host = "fra1"\naddress = "203.0.113.10"\n{key} = {value}\n'
    if key == "name":
        files = base_fleet()
        fleet = files["desired/fleet.toml"].decode().replace('name = "example"', f'name = "{text}"')
        found = read_desired({**files, "desired/fleet.toml": fleet.encode()})
    else:
        found = read_desired({**base_fleet(), INSTANCE: content.encode()})
    return [(d.code, d.hint) for d in found.diagnostics]


@pytest.mark.parametrize("key", ["tenants", "management_dns"])
@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Acme.example.com", 'write "acme.example.com"'),
        ("acme.example.com.", 'write "acme.example.com"'),
        ("acme example", "labels of lower-case letters"),
        ("acme_test.example", "labels of lower-case letters"),
        ("acme..example", "labels of lower-case letters"),
        ("-acme.example", "labels of lower-case letters"),
        ("a" * 64 + ".example", "labels of lower-case letters"),
        (".".join(["a" * 49] * 6), "labels of lower-case letters"),
        ("https://acme.example", "write the name alone"),
        ("admin@acme.example", "write the name alone"),
        ("müller.example", "write it as the DNS has it"),
    ],
)
def test_a_name_that_the_dns_has_not(key: str, text: str, hint: str) -> None:
    ((code, said),) = told(key, text)
    assert code == "FMT129" and said.startswith(hint)


@pytest.mark.parametrize(
    "text",
    ["localhost", "acme.example.com", "a", "7", "203.0.113.10", "xn--mller-kva.example", "a-b.c"],
)
def test_a_name_that_it_has(text: str) -> None:
    assert told("tenants", text) == told("management_dns", text) == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Example Voice", 'for example "example-voice"'),
        ("../x", 'for example "x"'),
        ("a/b", 'for example "a-b"'),
        ("x" * 64, ""),
    ],
)
def test_the_fleet_is_called_as_hosts_are(text: str, hint: str) -> None:
    assert told("name", text) == [("FMT129", hint)]
