"""Facts about the PBX: all with a source, only confirmed names, values checked by type."""

from __future__ import annotations

import pytest

from pbxfleet.model.desired import LISTENER_ROLES, Role
from pbxfleet.model.target import Impact
from pbxfleet.pbx.catalogue import SETTINGS, check_value
from pbxfleet.pbx.layout import ENTRIES, OPTIONS
from pbxfleet.pbx.roles import (
    CONFIRMED,
    LISTENERS,
    OTHERS,
    affinity_mask,
    label_of,
    mapping_hint,
)

# The names that public sources confirm; adding one means naming its source in the row.
NAMES = [
    "ip_http_port",
    "ip_https_port",
    "pw_user",
    "pw_pass",
    "sys_name",
    "sys_wildcard",
    "activation_key",
    "email_global",
    "email_list_performance",
    "log_filename",
    "log_length",
    "log_duration",
    "log_sip_watchlist",
    "log_event_general",
    "log_event_sip",
    "log_event_media",
    "log_event_app",
    "log_event_email",
    "log_event_webserver",
    "log_event_register",
    "log_event_snmp",
    "log_event_ldap",
    "log_event_config",
    "log_event_trunk",
    "log_event_soap",
    "log_event_tftp",
    "log_event_webclient",
    "log_event_tls",
    "log_event_acme",
    "log_event_rps",
    "log_event_mongodb",
    "log_event_dns",
    "log_event_billing",
    "log_event_script",
    "log_event_csta",
    "log_event_crm",
    "log_sip_register",
    "log_sip_subnot",
    "log_sip_other",
    "log_sip_dialog",
    "syslog_server_ip",
    "syslog_prefix",
]


def test_the_catalogue_has_the_confirmed_names_and_no_other() -> None:
    assert sorted(SETTINGS) == sorted(NAMES)
    assert len(NAMES) == 42


@pytest.mark.parametrize("rows", [SETTINGS, LISTENERS, OTHERS])
def test_every_row_has_a_source(rows: dict[str, object]) -> None:
    sources = [getattr(row, "source", "") for row in rows.values()]
    assert [source for source in sources if not source.startswith(("https://", "http://"))] == []


def test_every_name_and_option_has_a_source() -> None:
    sources = [row.source for row in (*ENTRIES, *OPTIONS)]
    assert [source for source in sources if not source.startswith(("https://", "http://"))] == []


def test_what_a_change_costs_is_one_of_three_classes() -> None:
    assert {row.impact for row in SETTINGS.values()} <= {impact.value for impact in Impact}
    assert sorted(row.name for row in SETTINGS.values() if row.impact == "restart") == [
        "email_global",
        "ip_http_port",
        "ip_https_port",
        "log_filename",
        "pw_pass",
        "sys_wildcard",
    ]


def test_secrets_are_marked() -> None:
    assert {row.name for row in SETTINGS.values() if row.secret} == {"pw_pass", "activation_key"}


def test_every_default_is_a_valid_value() -> None:
    for row in SETTINGS.values():
        assert row.default is None or check_value(row, row.default) is None


VALID = [
    ("ip_http_port", ["80", "", "192.0.2.1:80 [2001:db8::1]:80"]),
    ("pw_user", ["admin", "", "Zo\u00eb"]),
    ("sys_name", ["Acme & <S\u00f6hne>", "", " x ", "a\u00a0b"]),
    ("log_length", ["0", "100", "999999999999"]),
    ("log_event_sip", [str(level) for level in range(10)]),
    ("log_sip_other", ["true", "false"]),
    ("log_sip_watchlist", ["", "192.0.2.1", "192.168.2.0/24 localhost  2001:db8::1 10.0.0.0/8"]),
]
INVALID = [
    ("ip_http_port", ["http", "80,443", "192.0.2.1", "0", "::1"]),
    ("pw_user", ["admin@example.com", "a\nb"]),
    ("sys_name", ["a\nb", "a\x00", "\x7f", "a\u2028b"]),
    ("log_length", ["", "-1", "1.5", "ten", "010", "1 ", "\u0663"]),
    ("log_event_sip", ["10", "-1", "", "a", "09"]),
    ("log_sip_other", ["True", "yes", "1", ""]),
    (
        "log_sip_watchlist",
        ["pbx.example.com", "192.0.2.1,192.0.2.2", "192.0.2.0/33", "192.0.2.0/255.255.255.0", "1"],
    ),
]


@pytest.mark.parametrize(("name", "texts"), VALID)
def test_valid_values_are_accepted(name: str, texts: list[str]) -> None:
    assert [check_value(SETTINGS[name], text) for text in texts] == [None] * len(texts)


@pytest.mark.parametrize(("name", "texts"), INVALID)
def test_invalid_values_are_refused_with_a_reason(name: str, texts: list[str]) -> None:
    assert [text for text in texts if not check_value(SETTINGS[name], text)] == []


def test_every_role_is_described_once() -> None:
    assert tuple(LISTENERS) == LISTENER_ROLES
    assert {*LISTENERS, *OTHERS} == set(Role)
    assert set(CONFIRMED.values()) <= set(SETTINGS)


def test_a_hint_says_how_to_map_a_role() -> None:
    for role in Role:
        assert label_of(role) in mapping_hint(role)
        assert f"[catalogue] {role.value} = " in mapping_hint(role)


def test_affinity_is_a_decimal_mask_with_the_first_core_lowest() -> None:
    assert [affinity_mask(core) for core in (0, 1, 5, 40)] == ["1", "2", "32", "1099511627776"]
