"""TOML and YAML of the same data say the same; whatever the data, nothing raises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import settings as run_with
from hypothesis import strategies as st

from pbxfleet.core.span import whole_file
from pbxfleet.model.desired import Desired
from support.fleetfiles import files_below, read_desired
from support.nodes import lies_in
from support.other_validator import Verdict, verdicts
from support.tree import ROOT
from support.writers import toml_file, toml_value, yaml_file, yaml_value

BASE = files_below(Path(ROOT) / "tests" / "golden" / "broken" / "_base")
NOWHERE = whole_file("x")


def is_of_one_machine(address: Any) -> bool:
    """Whether a socket can be bound to exactly this address; the others are refused (FMT116)."""
    many = address.is_unspecified or address.is_multicast or int(address) == 0xFFFFFFFF
    return not many and not (address.version == 6 and address.is_link_local)


addresses = st.one_of(
    st.ip_addresses(v=4).filter(is_of_one_machine).map(str),
    st.ip_addresses(v=6)
    .filter(lambda a: a.ipv4_mapped is None and not a.scope_id and is_of_one_machine(a))
    .map(str),
    st.sampled_from(["auto", "auto-ipv4", "auto-ipv6"]),
)
ports = st.integers(1, 65535)
binds = st.lists(
    st.one_of(
        st.builds("{}:{}".format, st.ip_addresses(v=4), ports),
        st.builds("[{}]:{}".format, st.just("2001:db8::1"), ports),
    ),
    min_size=1,
    max_size=3,
).map(" ".join)
ranges = st.lists(ports, min_size=2, max_size=2).map(lambda p: f"{min(p)}-{max(p)}")
names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
values = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp")), max_size=12),
    st.sampled_from(["off", "NO", "22:22", "1.10", "0123", "1e3", "~", "null", "true", " x ", ""]),
    st.integers(),
    st.booleans(),
).filter(lambda v: not isinstance(v, str) or v.isprintable())
settings = st.dictionaries(
    names,
    st.one_of(
        values,
        st.fixed_dictionaries(
            {"value": values},
            optional={"ownership": st.sampled_from(["owned", "seeded"]), "raw": st.booleans()},
        ),
        st.fixed_dictionaries({"secret": st.just("acme/admin")}),
    ),
    max_size=5,
)
domains = st.from_regex(r"[a-z]([a-z0-9]|[.-][a-z0-9]){0,8}", fullmatch=True)
words = st.from_regex(r"[a-z][a-z0-9.-]{0,10}", fullmatch=True)
urls = st.sampled_from(["http://example.net", "https://[2001:db8::1]:8443/a?b=c#d"])
listen = st.dictionaries(
    st.sampled_from(["http", "https", "sip_udp", "sip_tcp", "sip_tls", "tftp", "snmp", "ldap"]),
    st.one_of(ports, binds, st.just("off")),
)
instances = st.fixed_dictionaries(
    {"host": words},
    optional={
        "release": st.sampled_from(["70.5", "69", "1.10", "beta"]),
        "address": st.one_of(addresses, st.lists(addresses, min_size=1, max_size=3, unique=True)),
        "cpu": st.one_of(st.sampled_from(["auto", "off"]), st.integers(0, 63)),
        "listen": listen,
        "rtp": st.one_of(st.just("auto"), ranges),
        "failover": st.fixed_dictionaries(
            {"role": st.just("primary"), "peer": words},
            optional={
                "peer_scheme": st.sampled_from(["http", "https"]),
                "peer_url": urls,
                "validation_url": urls,
                "interval": st.integers(1, 86_400),
                "failures": st.integers(1, 10_000),
                "action_url": urls,
            },
        ),
        "backup": st.fixed_dictionaries({"recordings": st.booleans()}),
        "settings": settings,
        "tenants": st.lists(domains, unique=True, max_size=3),
        "directory": st.sampled_from(["/usr/local/pbx", "/srv/{instance}/{number}"]),
        "number": st.integers(0, 99_999),
    },
)


def without_places(desired: Desired) -> Desired:
    """The same without the spans that take part in comparisons."""
    return Desired(
        replace(desired.fleet, span=NOWHERE, releases={}),
        {name: replace(host, span=NOWHERE) for name, host in desired.hosts.items()},
        {name: replace(i, span=NOWHERE) for name, i in desired.instances.items()},
    )


@given(instances, st.booleans())
def test_toml_and_yaml_of_the_same_data_are_the_same(data: Any, spread: bool) -> None:
    toml = {"desired/instances/acme.toml": toml_file(data, tables=spread).encode()}
    yaml = {"desired/instances/acme.yaml": yaml_file(data, blocks=spread).encode()}
    first, second = read_desired({**BASE, **toml}), read_desired({**BASE, **yaml})
    assert first.diagnostics == second.diagnostics == ()
    assert first.value is not None and second.value is not None
    assert without_places(first.value) == without_places(second.value)


KEYS = [
    "format", "name", "defaults", "releases", "catalogue", "policy", "address", "addresses", "cpus",
    "rtp", "rtp_block", "services", "directory", "failover_file", "stop_timeout", "host", "number",
    "release", "cpu", "listen", "failover", "backup", "settings", "unset", "tenants", "http", "value",
    "secret", "70.5", "pbxctrl", "source", "sha256", "reference", "role", "x y", "", "$schema",
]  # fmt: skip
anything = st.recursive(
    st.one_of(
        values, st.sampled_from(["auto", "1-2", "0-3,8", "203.0.113.1", "/a/{b}", "[::1]:80"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
files = st.dictionaries(
    st.sampled_from(["fleet.toml", "hosts/fra1.toml", "instances/acme.toml", "instances/b.yaml"]),
    st.dictionaries(st.sampled_from(KEYS), anything, max_size=6),
)


@given(files)
def test_whatever_the_data_nothing_raises(written: Any) -> None:
    texts = {
        f"desired/{name}": (
            toml_file(data, tables=False) if name.endswith("toml") else yaml_value(data)
        )
        for name, data in written.items()
    }
    read = read_desired({**BASE, **{name: text.encode() for name, text in texts.items()}})
    assert (read.value is None) == bool(read.errors)
    for problem in read.diagnostics:
        assert problem.message and not problem.message.startswith("{")
        for span in (problem.span, *(span for span, _ in problem.related)):
            assert span is not None
            assert span.file not in texts or lies_in(texts[span.file], span)


def test_the_writers_write_what_they_should() -> None:
    data = {"a": "off", "b c": [1, True, "x y"], "d": {"e": "1.10"}}
    assert toml_value(data) == '{ a = "off", "b c" = [1, true, "x y"], d = { e = "1.10" } }'
    assert yaml_value(data) == '{a: off, b c: [1, true, x y], d: {e: "1.10"}}'


@run_with(max_examples=4, phases=[Phase.generate])
@given(st.lists(instances, min_size=40, max_size=40))
def test_no_valid_file_is_refused_by_another_validator(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[dict[str, Any]]
) -> None:
    files: dict[str, bytes] = {}
    for number, data in enumerate(drawn):
        for suffix, text in (
            ("toml", toml_file(data, tables=False)),
            ("yaml", yaml_file(data, blocks=True)),
        ):
            file = f"desired/instances/i{number}.{suffix}"
            if read_desired({**BASE, file: text.encode()}).diagnostics == ():
                files[file] = text.encode()
    said = verdicts("instance", files, tmp_path_factory.mktemp("drawn"))
    assert {n: (v, files[n]) for n, v in said.items() if v != Verdict(True, ())} == {}
