"""Releases and the settings that they know: a matrix, and that refusing is exact."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.pbx.key_table import names_in, read_key_table
from pbxfleet.pbx.xml_text import PbxXmlError
from support.pages import diagnose

ALWAYS = ("ip_http_port", "ip_https_port")
# What each release knows beside the ports; None: it has no list, so catalogue and reference count.
RELEASES: dict[str, tuple[str, ...] | None] = {
    "60.0": ("greeting", "sys_name"),
    "69.5": ("sys_name", "log_length", "old_switch"),
    "70.5": ("sys_name", "log_length", "new_switch"),
    "70.6": None,
}
KEYS = ("sys_name", "log_length", "greeting", "old_switch", "new_switch", "never_heard_of")
CATALOGUE = {"sys_name", "log_length"}
REFERENCE = (
    "<config><ip_http_port>198.51.100.10:80</ip_http_port>"
    "<ip_https_port>198.51.100.10:443</ip_https_port></config>"
)


def known(release: str) -> set[str]:
    listed = RELEASES[release]
    return CATALOGUE if listed is None else set(listed)


def desired(
    instance: tuple[str, list[str]], fleet: tuple[str, ...] = (), *, form: str = '"x"'
) -> dict[str, bytes]:
    """A fleet of one instance: its release and settings, and those of the defaults."""
    release, own = instance
    text = f'format = 1\nname = "m"\n[defaults]\nrelease = "{release}"\n'
    text += "listen = { http = 80, https = 443 }\n[defaults.settings]\n"
    text += "".join(f"{key} = {form}\n" for key in fleet)
    files = {}
    for name, listed in RELEASES.items():
        pin = '{ source = "file:x", sha256 = "' + "0" * 64 + '" }'
        text += f'[releases."{name}"]\npbxctrl = {pin}\ndat = {pin}\n'
        text += 'reference = "reference/pbx.xml"\nreference_address = "198.51.100.10"\n'
        if listed is not None:
            text += f'settings = "reference/{name}.txt"\n'
            lines = "\n".join((*ALWAYS, *listed))
            files[f"desired/reference/{name}.txt"] = lines.encode()
    settings = "".join(f"{key} = {form}\n" for key in own)
    alpha = f'host = "h"\naddress = "192.0.2.10"\n[settings]\n{settings}'
    return {
        **files,
        "desired/fleet.toml": text.encode(),
        "desired/hosts/h.toml": b'addresses = ["192.0.2.10-192.0.2.11"]\n',
        "desired/instances/alpha.toml": alpha.encode(),
        "desired/reference/pbx.xml": REFERENCE.encode(),
    }


def refused(found: tuple[Diagnostic, ...]) -> set[str]:
    """Names that are refused as unknown; nothing else may be wrong."""
    errors = [d for d in found if d.severity == "error"]
    assert {d.code for d in errors} <= {"SET101", "SET106"}, errors
    return {name for d in errors for name in re.findall('"(.+?)"', d.message)[:1]}


@pytest.mark.parametrize(("release", "key"), list(product(RELEASES, KEYS)))
def test_a_setting_is_refused_exactly_where_its_release_does_not_know_it(
    release: str, key: str
) -> None:
    value = '"5"' if key == "log_length" else '"x"'
    expected = set() if key in known(release) else {key}
    assert refused(diagnose(desired((release, [key]), form=value))) == expected
    assert refused(diagnose(desired((release, []), (key,), form=value))) == expected


@given(
    release=st.sampled_from(sorted(RELEASES)),
    own=st.lists(st.sampled_from(KEYS), unique=True),
    fleet=st.lists(st.sampled_from(KEYS), unique=True),
)
def test_refusing_is_exact_whatever_layers_say(
    release: str, own: list[str], fleet: list[str]
) -> None:
    found = diagnose(desired((release, own), tuple(fleet), form='"5"'))
    assert refused(found) == {*own, *fleet} - known(release)


def test_the_message_names_the_releases_that_know_it() -> None:
    (found,) = (d for d in diagnose(desired(("70.5", ["old_switch"]))) if d.severity == "error")
    assert found.message == 'release 70.5 does not know "old_switch"'
    assert found.hint == "known to 69.5; say it only for instances of these"
    assert found.span is not None and str(found.span).startswith("desired/instances/alpha.toml:4:1")


def test_saying_raw_does_not_help_against_a_list_and_does_without_one() -> None:
    form = '{ value = "x", raw = true }'
    assert refused(diagnose(desired(("70.5", ["old_switch"]), form=form))) == {"old_switch"}
    assert refused(diagnose(desired(("70.6", ["old_switch"]), form=form))) == set()


def test_what_an_older_release_had_can_be_removed_a_typing_error_cannot() -> None:
    files = desired(("70.5", []))
    for key, expected in (("old_switch", set()), ("never_heard_of", {"never_heard_of"})):
        text = f'host = "h"\naddress = "192.0.2.10"\nunset = ["{key}"]\n'
        files["desired/instances/alpha.toml"] = text.encode()
        assert refused(diagnose(files)) == expected


def test_elements_of_roles_count_too() -> None:
    files = desired(("70.5", []))
    fleet = files["desired/fleet.toml"].decode()
    fleet = fleet.replace("https = 443", "https = 443, sip_udp = 5060")
    files["desired/fleet.toml"] = (fleet + '[catalogue]\nsip_udp = "sip_ports"\n').encode()
    (found,) = (d for d in diagnose(files) if d.severity == "error")
    assert found.code == "SET106"
    assert found.message == 'release 70.5 does not know "sip_ports", the element of listen.sip_udp'


@pytest.mark.parametrize(
    ("content", "names", "codes"),
    [
        (b"a\n\n# only this\n  b.c-d # and that\r\n\xc3\xbc\n", ["a", "b.c-d", "\u00fc"], []),
        (b"\xef\xbb\xbfa\n", ["a"], []),
        (b"a\na\n", ["a"], []),
        (b"", None, ["SET107"]),
        (b"# nothing\n", None, ["SET107"]),
        (b"a = 1\n<b/>\n1c\n", None, ["SET107"] * 3),
        (b"\xff\xfe", None, ["SET107"]),
    ],
)
def test_lists_of_names(content: bytes, names: list[str] | None, codes: list[str]) -> None:
    found = read_key_table("desired/x.txt", content)
    assert [d.code for d in found.diagnostics] == codes
    assert (None if found.value is None else list(found.value.names)) == names


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b'{"pw_pass": "secret", "b": "", "a": 1, "c": ["x"]}', ("a", "b", "c", "pw_pass")),
        (b'<c><pw_pass encrypted="true">ff</pw_pass><b><x/></b><a/></c>', ("a", "b", "pw_pass")),
    ],
)
def test_names_are_learned_from_both_kinds_of_file(content: bytes, names: tuple[str]) -> None:
    assert names_in(content) == names


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b"{", b'{"a": {"b": 1}}', b'{"a b": 1}', b"<a>", b"<a/>", b"a\nb\n"],
)
def test_anything_else_is_no_list_of_settings(content: bytes) -> None:
    with pytest.raises((ValueError, PbxXmlError)):
        names_in(content)
