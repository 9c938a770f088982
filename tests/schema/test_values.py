"""What each kind of value means, in the spellings of both formats."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from pbxfleet.core.diagnostics import Outcome
from pbxfleet.model.backup import BackupWish
from pbxfleet.model.desired import (
    AddressRange,
    AffinityBy,
    Auto,
    Desired,
    FailoverRole,
    HostFile,
    InstanceFile,
    Off,
    Ownership,
    Role,
    SecretRef,
    ServiceBackend,
    SettingWish,
)
from pbxfleet.model.net import Bind, Family, PortRange
from support.fleetfiles import files_below, read_desired
from support.tree import ROOT

BASE = files_below(ROOT / "tests" / "golden" / "broken" / "_base")


def read(**files: str) -> Outcome[Desired]:
    named = {
        f"desired/{name.replace('__', '/').replace('_dot_', '.')}": text.encode()
        for name, text in files.items()
    }
    return read_desired({**BASE, **named})


def instance(text: str, suffix: str = "toml") -> InstanceFile:
    host = 'host = "fra1"\n' if suffix == "toml" else "host: fra1\n"
    found = read_desired({**BASE, f"desired/instances/acme.{suffix}": (host + text).encode()})
    assert found.diagnostics == ()
    assert found.value is not None
    return found.value.instances["acme"]


def host(text: str) -> HostFile:
    found = read(hosts__fra1_dot_toml=text)
    assert found.diagnostics == ()
    assert found.value is not None
    return found.value.hosts["fra1"]


V4, V6 = IPv4Address("203.0.113.10"), IPv6Address("2001:db8::10")
BOTH = (Bind(Family.IPV4, V4, 80), Bind(Family.IPV6, V6, 8080))


@pytest.mark.parametrize(
    ("suffix", "text", "meaning"),
    [
        ("toml", "listen = { http = 80 }", 80),
        ("yaml", "listen: {http: 80}", 80),
        ("toml", "listen = { http = 0x50 }", 80),
        ("toml", 'listen = { http = "off" }', Off.OFF),
        ("yaml", "listen: {http: off}", Off.OFF),
        ("yaml", 'listen: {http: "off"}', Off.OFF),
        ("toml", 'listen = { http = "203.0.113.10:80 [2001:db8::10]:8080" }', BOTH),
        ("yaml", "listen:\n  http: 203.0.113.10:80 [2001:db8::10]:8080\n", BOTH),
        ("yaml", "listen:\n  http: >-\n    203.0.113.10:80\n    [2001:db8::10]:8080\n", BOTH),
    ],
)
def test_listeners(suffix: str, text: str, meaning: Any) -> None:
    assert instance(text, suffix).layer.listen[Role.HTTP].value == meaning


@pytest.mark.parametrize(
    ("suffix", "text", "meaning"),
    [
        ("toml", 'address = "203.0.113.10"', (V4,)),
        ("yaml", "address: 2001:db8::10", (V6,)),
        ("yaml", "address: auto", (Auto.ANY,)),
        ("yaml", "address: [auto-ipv4, auto-ipv6]", (Auto.IPV4, Auto.IPV6)),
        ("toml", 'address = ["203.0.113.10", "2001:db8::10"]', (V4, V6)),
        ("yaml", "address:\n- 203.0.113.10\n- auto-ipv6\n", (V4, Auto.IPV6)),
    ],
)
def test_addresses(suffix: str, text: str, meaning: Any) -> None:
    address = instance(text, suffix).layer.address
    assert address is not None
    assert tuple(wish.value for wish in address) == meaning


@pytest.mark.parametrize(
    ("text", "key", "meaning"),
    [
        ("cpu: auto", "cpu", Auto.ANY),
        ("cpu: off", "cpu", Off.OFF),
        ("cpu: 0", "cpu", 0),
        ("cpu: 15", "cpu", 15),
        ("rtp: auto", "rtp", Auto.ANY),
        ("rtp: 49152-51199", "rtp", PortRange(49152, 51199)),
        ("release: 70.5", "release", "70.5"),
        ("release: 1.10", "release", "1.10"),
        ("release: 70", "release", "70"),
    ],
)
def test_other_values_of_a_layer(text: str, key: str, meaning: Any) -> None:
    assert getattr(instance(text, "yaml").layer, key).value == meaning


def setting(text: str, suffix: str, name: str = "x") -> SettingWish:
    return instance(text, suffix).layer.settings[name].value


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("off", "off"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("22:22", "22:22"),
        ("1.10", "1.10"),
        ("0123", "0123"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("2024-01-02", "2024-01-02"),
        ("200", "200"),
        ("-5", "-5"),
        ("true", "true"),
        ("FALSE", "false"),
        ('"True"', "True"),
        ('"~"', "~"),
        ('"null"', "null"),
        ('""', ""),
        ("a b  # comment", "a b"),
        ("a#b", "a#b"),
        ('" a "', " a "),
        ('"a\\tb\\nc"', "a\tb\nc"),
        ("203.0.113.0/24 localhost", "203.0.113.0/24 localhost"),
        ("+49 30 1234", "+49 30 1234"),
    ],
)
def test_settings_in_yaml_are_text_as_written(written: str, meaning: str) -> None:
    assert setting(f"settings:\n  x: {written}\n", "yaml") == SettingWish(meaning)


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ('"off"', "off"),
        ("200", "200"),
        ("1_000", "1000"),
        ("0x1F", "31"),
        ("+7", "7"),
        ("true", "true"),
        ("'a\\b'", "a\\b"),
        ("99999999999999999999", "99999999999999999999"),
    ],
)
def test_settings_in_toml_have_one_spelling_for_each_number(written: str, meaning: str) -> None:
    assert setting(f"settings = {{ x = {written} }}", "toml") == SettingWish(meaning)


def test_settings_with_more_to_say() -> None:
    seeded = 'settings = { x = { value = 200, ownership = "seeded", raw = true } }'
    assert setting(seeded, "toml") == SettingWish("200", Ownership.SEEDED, raw=True)
    secret = "settings:\n  x: {secret: acme/admin-password}\n"
    assert setting(secret, "yaml") == SettingWish(SecretRef("acme/admin-password"))
    removed = instance('unset = ["x"]').layer.settings["x"]
    assert removed.value == SettingWish(None)
    assert str(removed.origin) == "desired/instances/acme.toml:2:10"


def test_a_setting_knows_where_its_name_stands() -> None:
    """What is wrong with the name is reported there, also where the value is lines away."""
    far = '[settings.sys_nmae]\nownership = "seeded"\nvalue = "x"\n'
    assert str(setting(far, "toml", "sys_nmae").named_at) == "desired/instances/acme.toml:2:11"
    short = "settings: {sys_nmae: x}\n"
    assert str(setting(short, "yaml", "sys_nmae").named_at) == "desired/instances/acme.yaml:2:12"


def test_an_instance_that_says_little_is_silent_about_the_rest() -> None:
    found = instance("")
    assert (found.host.value, found.directory, found.number) == ("fra1", None, None)
    layer = found.layer
    assert (layer.release, layer.address, layer.cpu, layer.rtp, layer.tenants) == (None,) * 5
    assert (layer.listen, layer.settings, layer.backup) == ({}, {}, BackupWish())
    assert (layer.failover.role, layer.failover.peer) == (None, None)
    assert str(found.span) == "desired/instances/acme.toml:1:1"


def test_every_value_has_its_place() -> None:
    text = "failover: {role: secondary, peer: x}\ntenants:\n  - a\n  - é b\nnumber: 7\n"
    found = read_desired({**BASE, "desired/instances/a.yaml": f"host: fra1\n{text}".encode()})
    assert [str(d.span) for d in found.diagnostics] == ["desired/instances/a.yaml:5:5"]
    found = instance(text.replace("é b", "e"), "yaml")
    assert found.layer.failover.role is not None and found.layer.failover.peer is not None
    assert found.layer.failover.role.value is FailoverRole.SECONDARY
    assert found.layer.tenants is not None and found.number is not None
    places = [
        found.host,
        found.layer.failover.role,
        found.layer.failover.peer,
        *found.layer.tenants,
        found.number,
    ]
    assert [place.origin[1:] for place in places] == [
        (1, 7, 1, 11),
        (2, 18, 2, 27),
        (2, 35, 2, 36),
        (4, 5, 4, 6),
        (5, 5, 5, 6),
        (6, 9, 6, 10),
    ]


def test_hosts() -> None:
    found = host(
        'address = "203.0.113.2"\naddresses = ["203.0.113.10-203.0.113.12", "2001:db8::1"]\n'
        'cpus = "0-3, 8"\nsystem_cpus = 0\nservices = "direct"\naffinity = "pbx"\n'
        'rtp = "1024-65535"\n[defaults]\ncpu = "auto"\n'
    )
    assert found.address is not None and found.address.value == IPv4Address("203.0.113.2")
    assert [r.value for r in found.addresses] == [
        AddressRange(V4, IPv4Address("203.0.113.12")),
        AddressRange(IPv6Address("2001:db8::1"), IPv6Address("2001:db8::1")),
    ]
    assert found.cpus is not None and found.cpus.value == (0, 1, 2, 3, 8)
    assert found.system_cpus is not None and found.system_cpus.value == (0,)
    assert found.services.value is ServiceBackend.DIRECT
    assert found.affinity.value is AffinityBy.PBX
    assert found.rtp is not None and found.rtp.value == PortRange(1024, 65535)
    assert found.defaults.cpu is not None and found.defaults.cpu.value is Auto.ANY


def test_defaults_of_a_host_point_at_its_file() -> None:
    found = host('# one host\naddress = "203.0.113.2"\n')
    given = {
        "reserve_address": False,
        "rtp_block": 1024,
        "services": ServiceBackend.SYSTEMD,
        "directory": "/usr/local/pbx-{instance}",
        "pid_file": "/run/pbx-{instance}.pid",
        "lock_file": "/var/lock/subsys/pbxctrl-{instance}",
        "backup_list": "/etc/pbx/backup-{instance}.list",
        "backup_exclude": "/etc/pbx/backup-{instance}.exclude",
        "host_backup_list": "/etc/pbx/backup.list",
        "affinity": AffinityBy.UNIT,
        "stop_timeout_s": 30,
    }
    assert {key: getattr(found, key).value for key in given} == given
    assert {str(getattr(found, key).origin) for key in given} == {"desired/hosts/fra1.toml:1:1"}
    assert (found.failover_file, found.failover_template, found.cpus, found.rtp) == (None,) * 4
    assert str(found.span) == "desired/hosts/fra1.toml:2:1"


def test_the_fleet() -> None:
    text = BASE["desired/fleet.toml"].decode() + (
        '\n[catalogue]\nsip_udp = "sip_udp_port"\n[policy]\ndeletion_budget = 3\n'
    )
    found = read(fleet_dot_toml=text)
    assert found.diagnostics == () and found.value is not None
    fleet = found.value.fleet
    assert fleet.name.value == "example"
    assert list(fleet.releases) == ["70.5"]
    release = fleet.releases["70.5"]
    assert str(release.span) == "desired/fleet.toml:7:11"
    assert release.pbxctrl.source.value == "file:../artefacts/pbxctrl"
    assert [a.value for a in release.reference_address] == [IPv4Address("198.51.100.10")]
    assert {role: name.value for role, name in fleet.catalogue.items()} == {
        Role.SIP_UDP: "sip_udp_port"
    }
    assert fleet.policy.deletion_budget == 3
    assert fleet.defaults.release is not None and fleet.defaults.release.value == "70.5"


def test_a_key_that_a_table_of_a_list_lacks_is_told_at_that_table() -> None:
    found = read(
        hosts__fra1_dot_toml="""foreign_listeners = [
  { protocol = "tcp", bind = 22, by = "sshd", reason = "administration" },
  { protocol = "tcp", bind = 25 },
]
""",
        hosts__fra2_dot_yaml="""foreign_listeners:
  - {protocol: tcp, bind: 22, by: sshd}
  - protocol: tcp
    bind: 25
""",
    )
    places = [str(d.span) for d in found.errors if d.code == "FMT105"]
    assert places == ["desired/hosts/fra1.toml:3:3", "desired/hosts/fra2.yaml:3:5"]


def test_a_fixed_word_is_not_asked_for_in_the_text_of_another_value() -> None:
    found = read(hosts__fra1_dot_toml='[network]\nbackend = "off"\nfirewall = true\n')
    assert [(d.code, d.hint) for d in found.errors] == [("FMT106", "")]
