"""Settings of pbx.xml whose element names are confirmed by a public source.

Every other name comes from the reference file or the fleet's own `[catalogue]`; none is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import NamedTuple

from pbxfleet.pbx.binds import BindError, parse_binds
from pbxfleet.pbx.patterns import compiled

PORTS = "https://doc.vodia.com/docs/admin-ports"
SECURITY = "https://doc.vodia.com/docs/admin-security"
REST = "https://doc.vodia.com/openapi/vodia-rest-api.yaml"
INSTALLER = "https://github.com/VasilisVikos/vodia_windows_installer"
ADDRESS_LISTS = "http://kiwi.pbxnsip.com/index.php/IP_Address_List"


class SettingRow(NamedTuple):
    """One confirmed setting.

    `type` is one of `binds bool int level ip_list text user secret`; `unit` is "" where there is
    none, or none is documented. `default` is the PBX's own value, None where no source tells it.
    `impact` is what a change costs: `none`, `live` or `restart`, and `restart` if no source says.
    `secret` values must not appear in any output. `source` is where the name is documented.
    """

    name: str
    type: str
    unit: str
    default: str | None
    impact: str
    secret: bool
    summary: str
    source: str


def _level(name: str) -> SettingRow:
    summary = f"log level of the subsystem {name}, 0 (least) to 9"
    return SettingRow(f"log_event_{name}", "level", "", None, "live", False, summary, REST)


def _sip_log(name: str, what: str) -> SettingRow:
    return SettingRow(f"log_sip_{name}", "bool", "", None, "live", False, f"log {what}", REST)


_SUBSYSTEMS = (
    "general sip media app email webserver register snmp ldap config trunk soap tftp webclient tls"
    " acme rps mongodb dns billing script csta crm"
)

_ROWS = (
    SettingRow("ip_http_port", "binds", "", "80", "restart", False, "where HTTP listens", PORTS),
    SettingRow("ip_https_port", "binds", "", "443", "restart", False, "where HTTPS listens", PORTS),
    SettingRow(
        "pw_user",
        "user",
        "",
        "admin",
        "live",
        False,
        "name of the system administrator; case matters, no @",
        SECURITY,
    ),
    SettingRow(
        "pw_pass",
        "secret",
        "",
        None,
        "restart",
        True,
        "password of the system administrator; the PBX encrypts it",
        INSTALLER,
    ),
    SettingRow(
        "sys_name",
        "text",
        "",
        None,
        "live",
        False,
        "name of the system, used in subjects of mails",
        INSTALLER,
    ),
    SettingRow(
        "sys_wildcard",
        "text",
        "",
        "",
        "restart",
        False,
        "wildcard DNS name of the system; a cloud value redirects browsers away",
        INSTALLER,
    ),
    SettingRow(
        "activation_key", "secret", "", "", "live", True, "licence activation key", INSTALLER
    ),
    SettingRow(
        "email_global", "text", "", None, "restart", False, "how mail is delivered", INSTALLER
    ),
    SettingRow(
        "email_list_performance",
        "text",
        "",
        None,
        "live",
        False,
        "addressees of performance mails",
        INSTALLER,
    ),
    SettingRow(
        "log_filename", "text", "", None, "restart", False, "log file; empty for none", REST
    ),
    SettingRow("log_length", "int", "", None, "live", False, "how much log is kept", REST),
    SettingRow("log_duration", "int", "seconds", None, "live", False, "how long log is kept", REST),
    SettingRow(
        "log_sip_watchlist",
        "ip_list",
        "",
        "",
        "live",
        False,
        "addresses whose SIP messages are always logged",
        REST,
    ),
    *(_level(name) for name in _SUBSYSTEMS.split()),
    _sip_log("register", "SIP registrations"),
    _sip_log("subnot", "SIP subscriptions and notifications"),
    _sip_log("other", "other SIP messages"),
    _sip_log("dialog", "SIP messages of calls"),
    SettingRow("syslog_server_ip", "text", "", "", "live", False, "remote syslog server", REST),
    SettingRow(
        "syslog_prefix",
        "text",
        "",
        "",
        "live",
        False,
        "prefix of syslog lines, which tells instances apart",
        REST,
    ),
)

SETTINGS: Mapping[str, SettingRow] = {row.name: row for row in _ROWS}


def check_value(row: SettingRow, text: str) -> str | None:
    """Why `text` is not a valid value of this setting, None if it is one."""
    if compiled(_CONTROLS).search(text) is not None:
        # public sources know values on one line only, and one installer reads them line by line
        return "a value is one line without control characters"
    check = _CHECKS.get(row.type)
    return check(text) if check is not None else None


def _check_binds(text: str) -> str | None:
    try:
        parse_binds(text)
    except BindError as error:
        return error.message
    return None


def _check_bool(text: str) -> str | None:
    return None if text in ("true", "false") else "the value is true or false"


def _check_int(text: str) -> str | None:
    return None if _is_whole_number(text) else "the value is a whole number"


def _check_level(text: str) -> str | None:
    valid = len(text) == 1 and _is_whole_number(text)
    return None if valid else "a log level is a number from 0 to 9"


def _check_user(text: str) -> str | None:
    return 'the name of an administrator has no "@"' if "@" in text else None


def _is_whole_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and (text == "0" or not text.startswith("0"))


def _check_ip_list(text: str) -> str | None:
    """Addresses, networks as ADDRESS/BITS, or the word localhost, separated by spaces.

    The source, http://kiwi.pbxnsip.com/index.php/IP_Address_List, is older than IPv6 in the PBX;
    IPv6 is accepted because no source excludes it. Names are not resolved by the PBX.
    """
    for word in text.split():
        if word != "localhost" and not _is_network(word):
            return (
                f'"{word}" is neither an address nor a network such as 192.0.2.0/24; '
                "names are not resolved, and spaces separate"
            )
    return None


def _is_network(word: str) -> bool:
    _, slash, bits = word.partition("/")
    try:
        ip_network(word, strict=False)
    except ValueError:
        return False
    return _is_whole_number(bits) if slash else True


_CONTROLS = "[\0-\x1f\x7f-\x9f\u2028\u2029]"

_CHECKS: Mapping[str, Callable[[str], str | None]] = {
    "binds": _check_binds,
    "bool": _check_bool,
    "int": _check_int,
    "level": _check_level,
    "ip_list": _check_ip_list,
    "user": _check_user,
}
