"""What becomes of one instance: listeners, derived elements, settings, media, affinity."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.desired import Ownership, SecretRef, SettingWish
from pbxfleet.model.net import Protocol
from pbxfleet.model.resolved import ResolvedInstance, ResolvedSetting
from pbxfleet.pbx.binds import format_bind
from pbxfleet.resolve import Resolution, resolve, resolve_and_check
from support.wishes import NO_LEDGER, ROLES, fleet, host, instance, reference

WIDE = {"addresses": ["203.0.113.10-203.0.113.41", "2001:db8::10-2001:db8::41"]}
BOTH = ["203.0.113.10", "2001:db8::10"]


def run(
    machine: dict[str, Any] | None = None,
    changes: dict[str, str | None] | None = None,
    addresses: tuple[str, ...] = ("198.51.100.10",),
    **says: Any,
) -> Resolution:
    desired = fleet(
        host(**{**WIDE, **(machine or {})}),
        instance("alpha", **{"address": "203.0.113.10", **says}),
        reference_address=addresses,
    )
    return resolve(desired, reference(**(changes or {})), NO_LEDGER)


def only(resolution: Resolution) -> ResolvedInstance:
    assert resolution.outcome.value is not None, resolution.outcome.errors
    return resolution.outcome.value.hosts[0].instances[0]


def settings(resolution: Resolution) -> dict[str, ResolvedSetting]:
    return {setting.name: setting for setting in only(resolution).settings}


def value(resolution: Resolution, name: str) -> object:
    found = settings(resolution).get(name)
    return "not touched" if found is None else found.value


def codes(resolution: Resolution) -> list[str]:
    return [diagnostic.code for diagnostic in resolution.outcome.errors]


def test_without_a_word_everything_moves_to_the_instances_address() -> None:
    resolution = run()
    assert {name: setting.value for name, setting in settings(resolution).items()} == {
        "ip_http_port": "203.0.113.10:80",
        "ip_https_port": "203.0.113.10:443",
        "rtp_bind_ip": "203.0.113.10",
        "sip_tcp_ports": "203.0.113.10:5060",
        "sip_tls_ports": "203.0.113.10:5061",
        "sip_udp_ports": "203.0.113.10:5060",
    }
    assert [(one.role, format_bind(one.bind)) for one in only(resolution).listeners] == [
        ("http", "203.0.113.10:80"),
        ("https", "203.0.113.10:443"),
        ("sip_udp", "203.0.113.10:5060"),
        ("sip_tcp", "203.0.113.10:5060"),
        ("sip_tls", "203.0.113.10:5061"),
    ]


def test_a_rebound_element_says_where_it_comes_from() -> None:
    setting = settings(run())["sip_udp_ports"]
    assert (setting.ownership, setting.impact) == (Ownership.OWNED, "restart")
    assert setting.label == "listen.sip_udp"
    assert setting.origin.file == "desired/instances/alpha.toml"
    assert [span.file for span in setting.overrode] == ["desired/reference/pbx-70.xml"]


def test_a_port_is_one_bind_for_each_address() -> None:
    resolution = run(address=BOTH, listen={"http": 8080})
    assert value(resolution, "ip_http_port") == "203.0.113.10:8080 [2001:db8::10]:8080"


def test_off_is_the_empty_value() -> None:
    resolution = run(listen={"sip_tls": "off"})
    assert value(resolution, "sip_tls_ports") == ""
    assert "sip_tls" not in {listener.role for listener in only(resolution).listeners}


def test_declared_binds_are_taken_as_written() -> None:
    resolution = run(address=BOTH, listen={"ldap": "[2001:db8::10]:389"})
    assert value(resolution, "ldap_port") == "[2001:db8::10]:389"


def test_several_binds_of_both_families_are_rebound() -> None:
    both = "198.51.100.10:5060 [2001:db8:9::1]:5060  198.51.100.10:5080"
    resolution = run(
        address=BOTH,
        changes={"sip_udp_ports": both},
        addresses=("198.51.100.10", "2001:db8:9::1"),
    )
    rebound = "203.0.113.10:5060 [2001:db8::10]:5060  203.0.113.10:5080"
    assert value(resolution, "sip_udp_ports") == rebound


def test_the_reference_machine_itself_may_be_an_instance() -> None:
    resolution = run({"addresses": ["198.51.100.10"]}, address="198.51.100.10")
    assert value(resolution, "ip_http_port") == "198.51.100.10:80"


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ("161", "BND102"),
        ("0.0.0.0:161", "BND102"),
        ("[::]:161", "BND102"),
        ("198.51.100.10:161 161", "BND102"),
        ("192.0.2.7:161", "BND103"),
        ("127.0.0.1:161", "BND103"),
        ("[2001:db8:9::1]:161", "BND104"),
        ("snmp.example.com:161", "BND108"),
        ("161,162", "BND108"),
        (None, "BND108"),
    ],
)
def test_a_listener_that_would_stay_elsewhere_is_refused(listed: str | None, code: str) -> None:
    addresses = ("198.51.100.10", "2001:db8:9::1")
    assert codes(run(changes={"snmp_port": listed}, addresses=addresses)) == [code]
    for wish in ("off", 161):
        declared = run(changes={"snmp_port": listed}, addresses=addresses, listen={"snmp": wish})
        assert codes(declared) == []


@pytest.mark.parametrize("listed", ["0.0.0.0:2000", "[::]:2000", "192.0.2.7:2000"])
def test_binds_in_an_unknown_element_are_refused_alike(listed: str) -> None:
    assert codes(run(changes={"agent": listed})) in (["BND102"], ["BND103"])
    raw = SettingWish(listed, raw=True)
    assert codes(run(changes={"agent": listed}, settings={"agent": raw})) == []


@pytest.mark.parametrize("listed", ["5062", "5062 5063", "0.0.0.0:5062"])
def test_a_port_under_the_name_of_a_listener_is_refused_until_somebody_says_what_it_is(
    listed: str,
) -> None:
    changes: dict[str, str | None] = {"sip_udp_extra_port": listed}
    resolution = run(changes=changes)
    assert set(codes(resolution)) == {"BND102"}
    assert all("sip_udp" in one.hint for one in resolution.outcome.errors)
    raw = SettingWish(listed, raw=True)
    assert codes(run(changes=changes, settings={"sip_udp_extra_port": raw})) == []
    assert codes(run(changes={"sip_udp_extra_port": ""})) == []


@pytest.mark.parametrize("listed", ["2000", "0.0.0.0", "192.0.2.7", "a:1 b:2", "198.51.100.1", ""])
def test_what_does_not_read_as_binds_is_left_alone(listed: str) -> None:
    assert value(run(changes={"agent": listed}), "agent") == "not touched"


def test_binds_in_an_unknown_element_move_and_count_for_both_transports() -> None:
    resolution = run(changes={"agent": "198.51.100.10:2000"})
    assert value(resolution, "agent") == "203.0.113.10:2000"
    agent = next(one for one in only(resolution).listeners if one.role == "agent")
    assert agent.protocols == (Protocol.TCP, Protocol.UDP)


def test_the_bare_reference_address_moves() -> None:
    resolution = run(
        address=BOTH,
        changes={"four": "198.51.100.10", "six": "[2001:db8:9::1]"},
        addresses=("198.51.100.10", "2001:db8:9::1"),
    )
    assert value(resolution, "four") == "203.0.113.10"
    assert value(resolution, "six") == "[2001:db8::10]"


def test_running_text_stays_and_is_pointed_out() -> None:
    resolution = run(changes={"greeting": "call sip:198.51.100.10 now"})
    assert value(resolution, "greeting") == "not touched"
    assert [d.code for d in resolution.outcome.diagnostics] == ["ADV101"]


def test_settings_of_the_catalogue_are_somebody_elses_addresses() -> None:
    resolution = run(changes={"syslog_server_ip": "192.0.2.5:514"})
    assert value(resolution, "syslog_server_ip") == "not touched"
    assert resolution.outcome.diagnostics == ()


def test_encrypted_elements_are_opaque() -> None:
    assert value(run(changes={"token": None}), "token") == "not touched"


def test_a_known_listener_must_not_be_left_to_its_default() -> None:
    desired = fleet(instance("alpha"), catalogue={**ROLES, "tftp": "tftp_listen"})
    resolution = resolve(desired, reference(), NO_LEDGER)
    assert codes(resolution) == ["BND107"]
    off = fleet(instance("alpha"), catalogue={**ROLES, "tftp": "tftp_listen"}, listen={"tftp": 69})
    assert codes(resolve(off, reference(), NO_LEDGER)) == []


def test_impacts_come_from_the_catalogue_and_else_are_restarts() -> None:
    wished = {"log_length": "200", "greeting": "hello"}
    found = settings(run(changes={"greeting": "hi"}, settings=wished))
    assert (found["log_length"].impact, found["greeting"].impact) == ("live", "restart")


def test_unset_is_a_removal_and_a_secret_stays_a_name() -> None:
    secret = SettingWish(SecretRef("alpha/admin"))
    wished = {"greeting": SettingWish(None), "pw_pass": secret}
    found = settings(run(changes={"greeting": "hi"}, settings=wished))
    assert found["greeting"].value is None
    assert found["pw_pass"].value == SecretRef("alpha/admin")


@pytest.mark.parametrize("name", ["ip_http_port", "sip_udp_ports", "rtp_bind_ip", "rtp_port_end"])
@pytest.mark.parametrize("wish", [SettingWish("1"), SettingWish(None), SettingWish("1", raw=True)])
def test_a_roles_element_cannot_be_set_by_name(name: str, wish: SettingWish) -> None:
    assert codes(run(settings={name: wish})) == ["SET103"]


@pytest.mark.parametrize(
    "listed",
    ["[::ffff:198.51.100.10]:2000", "198.51.100.10:2000 [::ffff:c633:640a]:2001"],
)
def test_the_reference_address_in_ipv6_clothes_is_no_running_text(listed: str) -> None:
    assert codes(run(changes={"agent": listed})) == ["BND108"]
    assert codes(run(changes={"agent": f"see {listed}"})) == []


@pytest.mark.parametrize("was", ["", "161", "198.51.100.10:161"])
@pytest.mark.parametrize("ports", ["161", "161 162"])
def test_a_bare_port_under_the_name_of_a_listener_is_one(was: str, ports: str) -> None:
    """Without a role nobody puts an address before it: it would be the port of every address."""
    resolution = run(changes={"snmp_port_2": was}, settings={"snmp_port_2": SettingWish(ports)})
    assert set(codes(resolution)) == {"SET104"}
    allowed = SettingWish(ports, raw=True)
    assert codes(run(changes={"snmp_port_2": was}, settings={"snmp_port_2": allowed})) == []
    assert codes(run(changes={"agents": "5"}, settings={"agents": SettingWish(ports)})) == []


def test_removing_an_element_with_binds_is_refused() -> None:
    resolution = run(changes={"agent": "198.51.100.10:2000"}, settings={"agent": SettingWish(None)})
    assert codes(resolution) == ["SET104"]


def test_a_declared_range_is_written_and_that_of_the_reference_is_only_known() -> None:
    declared = run(rtp="50000-50999")
    assert value(declared, "rtp_port_start") == "50000"
    assert value(declared, "rtp_port_end") == "50999"
    kept = run()
    assert value(kept, "rtp_port_start") == "not touched"
    assert str(only(kept).rtp and only(kept).rtp.value) == "49152-64511"  # type: ignore[union-attr]


def test_media_is_bound_to_the_first_ipv4_address() -> None:
    resolution = run(address=["2001:db8::10", "203.0.113.12", "203.0.113.10"])
    assert value(resolution, "rtp_bind_ip") == "203.0.113.12"
    assert codes(run(address="2001:db8::10", listen={"http": 80})).count("RTP105") == 1


def test_exactly_one_mechanism_pins() -> None:
    by_pbx = run({"affinity": "pbx"}, cpu=5)
    assert value(by_pbx, "process_affinity") == "32"
    assert value(run({"affinity": "unit"}, cpu=5), "process_affinity") == "not touched"
    old = {"process_affinity": "4"}
    assert value(run({"affinity": "unit"}, old, cpu=5), "process_affinity") == ""
    assert value(run({"affinity": "pbx"}, old), "process_affinity") == ""


def test_problems_of_all_instances_are_told_at_once() -> None:
    desired = fleet(
        instance("alpha", "nowhere"),
        instance("beta", release="70.9"),
        instance("gamma", settings={"log_lenght": "1"}),
        instance("delta", address="203.0.113.77"),
        instance("omega"),
    )
    resolution = resolve_and_check(desired, reference(), NO_LEDGER)
    assert sorted(codes(resolution)) == ["NET101", "REF101", "REL102", "SET101"]
    assert resolution.outcome.value is None
    assert [one.name for one in resolution.sound.hosts[0].instances] == ["delta", "omega"]


def test_one_cause_is_one_diagnostic() -> None:
    names = [f"i{n}" for n in range(200)]
    machine = host(addresses=["203.0.113.0-203.0.113.255"])
    desired = fleet(machine, *map(instance, names), address="auto", settings={"log_lenght": "1"})
    resolution = resolve(desired, reference(snmp_port="161"), NO_LEDGER)
    assert codes(resolution) == ["SET101", "BND102"]
    assert all(len(d.related) == 3 for d in resolution.outcome.errors)
    assert "197 more" in resolution.outcome.errors[0].related[-1][1]


TOKENS = st.sampled_from(
    [
        "5060",
        "0.0.0.0:5060",
        "[::]:5060",
        "198.51.100.10:5060",
        "203.0.113.10:5061",
        "192.0.2.7:5060",
        "[2001:db8:9::1]:5060",
        "[2001:db8::10]:5061",
        "text",
    ]
)
VALUES = st.lists(TOKENS, max_size=3).map(" ".join)
ELEMENTS = st.sampled_from(["ip_http_port", "sip_udp_ports", "snmp_port", "agent"])


@given(st.dictionaries(ELEMENTS, VALUES), st.booleans())
def test_nothing_that_resolves_listens_beyond_its_own_addresses(
    changes: dict[str, str | None], dual: bool
) -> None:
    address = BOTH if dual else BOTH[:1]
    addresses = ("198.51.100.10", "2001:db8:9::1")
    resolution = run(changes=changes, addresses=addresses, address=address)
    if resolution.outcome.value is None:
        return
    resolved = only(resolution)
    assert {str(one.bind.address) for one in resolved.listeners} <= set(address)
    texts = {name: text for name, (text, _) in reference(**changes)["70.5"].settings.items()}
    texts |= {setting.name: setting.value for setting in resolved.settings}  # type: ignore[misc]
    for text in texts.values():
        for foreign in ("198.51.100.10", "2001:db8:9::1", "0.0.0.0:", "[::]:", "192.0.2.7:"):
            assert text is None or foreign not in text or "text" in text
