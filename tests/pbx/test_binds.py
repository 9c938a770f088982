"""Bind lists: the grammar, and moving addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pbxfleet.model.net import Address, Bind, Family
from pbxfleet.pbx.binds import (
    BindError,
    bind_text,
    format_bind,
    format_binds,
    parse_binds,
    rebind,
)

OLD_4, OLD_6 = ip_address("198.51.100.10"), ip_address("2001:db8::a")
NEW_4, NEW_6 = ip_address("203.0.113.7"), ip_address("2001:db8:1::7")
MAPPING: dict[Address, Address] = {OLD_4: NEW_4, OLD_6: NEW_6}

ADDRESSES = st.ip_addresses().filter(
    lambda address: not address.is_unspecified and getattr(address, "ipv4_mapped", None) is None
)
PORTS = st.integers(1, 65535)


def own(address: Address, port: int) -> Bind:
    return Bind(Family.IPV4 if address.version == 4 else Family.IPV6, address, port)


BINDS = st.one_of(
    st.builds(own, ADDRESSES, PORTS),
    st.builds(lambda family, port: Bind(family, None, port), st.sampled_from(Family), PORTS),
)

READ = [
    ("", ()),
    (" \t\r\n", ()),
    ("5060", (Bind(Family.ANY, None, 5060),)),
    ("1", (Bind(Family.ANY, None, 1),)),
    ("65535", (Bind(Family.ANY, None, 65535),)),
    ("192.168.1.2:8080", (own(IPv4Address("192.168.1.2"), 8080),)),
    ("0.0.0.0:5060", (Bind(Family.IPV4, None, 5060),)),
    ("[2001:db8::4]:5060", (own(IPv6Address("2001:db8::4"), 5060),)),
    ("[2001:DB8:0:0::4]:5060", (own(IPv6Address("2001:db8::4"), 5060),)),
    ("[::]:5060", (Bind(Family.IPV6, None, 5060),)),
    ("[0:0:0:0:0:0:0:0]:5060", (Bind(Family.IPV6, None, 5060),)),
    (
        " 192.168.1.2:5060\t[::]:5080  80 ",
        (
            own(IPv4Address("192.168.1.2"), 5060),
            Bind(Family.IPV6, None, 5080),
            Bind(Family.ANY, None, 80),
        ),
    ),
]


@pytest.mark.parametrize(("text", "binds"), READ)
def test_the_documented_forms_are_read(text: str, binds: tuple[Bind, ...]) -> None:
    assert parse_binds(text) == binds


# text, the part that is wrong, some words of the message
WRONG = [
    ("0", "0", "between 1 and 65535"),
    ("65536", "65536", "between 1 and 65535"),
    ("080", "080", "leading zeros"),
    ("-1", "-1", "not a bind"),
    ("+80", "+80", "not a bind"),
    ("80,443", "80,443", "not a bind"),
    ("80 443;", "443;", "not a bind"),
    ("off", "off", "not a bind"),
    ("\u0668\u0660", "\u0668\u0660", "not a bind"),
    ("80\u00a0443", "80\u00a0443", "not a bind"),
    ("192.0.2.1", "192.0.2.1", "no port"),
    ("192.0.2.1:", "192.0.2.1:", "no port"),
    (":80", ":80", "no address"),
    ("192.0.2.1:http", "http", "not a port"),
    ("80 192.0.2.1:0", "0", "between 1 and 65535"),
    ("192.0.2.1:70000", "70000", "between 1 and 65535"),
    ("192.0.2.1:\u0663", "\u0663", "not a port"),
    ("192.0.02.1:80", "192.0.02.1", "leading zeros"),
    ("192.0.2:80", "192.0.2", "not an IPv4 address"),
    ("192.0.2.256:80", "192.0.2.256", "not an IPv4 address"),
    ("192.0.2.1.5:80", "192.0.2.1.5", "not an IPv4 address"),
    ("80 pbx.example.com:80", "pbx.example.com", "names are not resolved"),
    ("localhost:80", "localhost", "names are not resolved"),
    ("*:80", "*", "names are not resolved"),
    ("2001:db8::1:80", "2001:db8::1:80", "square brackets"),
    ("::1", "::1", "square brackets"),
    ("198.51.100.1:80;198.51.100.2:81", "198.51.100.1:80;198.51.100.2", "not an address"),
    ("[2001:db8::1]", "[2001:db8::1]", "no port"),
    ("[2001:db8::1]80", "[2001:db8::1]80", "no port"),
    ("[2001:db8::1:80", "[2001:db8::1:80", "no port"),
    ("[]:80", "]", "not an"),
    ("[192.0.2.1]:80", "192.0.2.1", "not an IPv6 address"),
    ("[fe80::1%eth0]:80", "fe80::1%eth0", "zone"),
    ("[2001:db8:::1]:80", "2001:db8:::1", "not an address"),
    ("[::ffff:192.0.2.1]:80", "::ffff:192.0.2.1", "IPv4 address 192.0.2.1"),
    ("[::ffff:c000:201]:80", "::ffff:c000:201", "IPv4 address 192.0.2.1"),
]


@pytest.mark.parametrize(("text", "mark", "word"), WRONG)
def test_anything_else_is_refused_at_its_place(text: str, mark: str, word: str) -> None:
    with pytest.raises(BindError) as caught:
        parse_binds(text)
    error = caught.value
    assert text[error.offset : error.offset + error.length] == mark
    assert word in error.message
    assert error.hint


def test_an_endless_number_is_refused_with_a_short_message() -> None:
    with pytest.raises(BindError) as caught:
        parse_binds("9" * 5000)
    assert len(caught.value.message) < 80


@given(st.lists(BINDS, max_size=4))
def test_what_is_written_is_read_back(binds: list[Bind]) -> None:
    text = format_binds(binds)
    assert parse_binds(text) == tuple(binds)
    assert text == " ".join(format_bind(bind) for bind in binds)


@given(st.text(alphabet="0123456789.:[]abf% \t", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        binds = parse_binds(text)
    except BindError as error:
        assert 0 <= error.offset <= len(text)
        assert error.length >= 1
    else:
        assert parse_binds(format_binds(binds)) == binds


def test_a_port_means_one_bind_for_each_address_ipv4_first() -> None:
    assert bind_text([NEW_6, NEW_4], 80) == "203.0.113.7:80 [2001:db8:1::7]:80"
    with pytest.raises(ValueError, match="needs an address"):
        bind_text([], 80)


# value, kind, value afterwards
REBOUND = [
    ("198.51.100.10:80", "binds", "203.0.113.7:80"),
    (
        "  198.51.100.10:80\t[2001:DB8:0::A]:80  80\n",
        "binds",
        "  203.0.113.7:80\t[2001:db8:1::7]:80  80\n",
    ),
    ("198.51.100.10:80 198.51.100.10:81", "binds", "203.0.113.7:80 203.0.113.7:81"),
    ("198.51.100.101:80", "binds", "198.51.100.101:80"),
    ("[2001:0DB8::B]:80", "binds", "[2001:0DB8::B]:80"),
    ("0.0.0.0:80", "binds", "0.0.0.0:80"),
    ("[0::0]:80", "binds", "[0::0]:80"),
    ("198.51.100.10", "address", "203.0.113.7"),
    (" 2001:db8:0:0::a\n", "address", " 2001:db8:1::7\n"),
    ("[2001:db8::a]", "address", "[2001:db8:1::7]"),
    ("192.0.2.99", "address", "192.0.2.99"),
    ("0.0.0.0", "address", "0.0.0.0"),
    ("80", "text", "80"),
    ("80 443", "text", "80 443"),
    ("", "text", ""),
    ("198.51.100.10 198.51.100.11", "text", "198.51.100.10 198.51.100.11"),
    ("198.51.100.10:0", "text", "198.51.100.10:0"),
    ("[::ffff:198.51.100.10]:80", "text", "[::ffff:198.51.100.10]:80"),
    ("::ffff:198.51.100.10", "text", "::ffff:198.51.100.10"),
    ("[198.51.100.10]", "text", "[198.51.100.10]"),
]


@pytest.mark.parametrize(("text", "kind", "after"), REBOUND)
def test_binds_and_bare_addresses_are_moved(text: str, kind: str, after: str) -> None:
    found = rebind(text, MAPPING)
    assert (found.kind, found.text, found.replaced) == (kind, after, text != after)


def test_each_bind_of_a_list_is_reported_with_its_place() -> None:
    text = " 80  198.51.100.10:81 192.0.2.1:82"
    found = rebind(text, MAPPING).binds
    shown = [(text[bind.offset :][: bind.length], bind.replaced) for bind in found]
    assert shown == [("80", False), ("198.51.100.10:81", True), ("192.0.2.1:82", False)]
    assert [bind.before for bind in found] == list(parse_binds(text))
    assert found[1].after == own(NEW_4, 81)


# text with the mentions of a reference address between braces
MENTIONS = [
    "sip:{198.51.100.10}:5060;transport=udp",
    "https://{198.51.100.10}/x and {198.51.100.10}.",
    "{198.51.100.10}/24 {198.51.100.10}-198.51.100.20 ({198.51.100.10})",
    "198.51.100.101 1198.51.100.10 1.198.51.100.10 198.51.100.10.5",
    "198.51.100.10.example.com x198.51.100.10 198.51.100.10x _198.51.100.10",
    "sip:[{2001:db8::a}]:5060 [{2001:DB8:0::A}] {2001:0db8::000a}/64, {2001:db8::a}.",
    "2001:db8::ab 1:2001:db8::a 2001:db8::a:1 2001:db8::axe",
    "to [{::ffff:198.51.100.10}]:80",
    "to [{::ffff:c633:640a}]:80",
    "10:30:00 a:b ::: 1.2.3 ...",
]


@pytest.mark.parametrize("marked", MENTIONS)
def test_addresses_in_other_text_are_found_as_whole_words(marked: str) -> None:
    text = marked.replace("{", "").replace("}", "")
    found = rebind(text, MAPPING)
    assert (found.kind, found.text, found.replaced) == ("text", text, False)
    shown = text
    for mention in reversed(found.mentions):
        end = mention.offset + mention.length
        shown = f"{shown[: mention.offset]}{{{shown[mention.offset : end]}}}{shown[end:]}"
        assert mention.address in MAPPING
    assert shown == marked


@given(st.lists(BINDS, min_size=1, max_size=4), ADDRESSES, ADDRESSES)
def test_after_rebinding_the_old_address_is_gone(
    binds: list[Bind], old: Address, new: Address
) -> None:
    assume(old != new)
    found = rebind(format_binds([*binds, own(old, 80)]), {old: new})
    after = parse_binds(found.text)
    assert old not in [bind.address for bind in after]
    assert after[-1] == own(new, 80)
    assert [bind.port for bind in after] == [*(bind.port for bind in binds), 80]


@given(st.text(max_size=40) | st.lists(BINDS, max_size=3).map(format_binds))
def test_without_a_mapping_nothing_changes(text: str) -> None:
    assert rebind(text, {}).text == text
    assert rebind(text, {OLD_4: OLD_4}).text == text
    assert not rebind(text, {OLD_4: OLD_4}).replaced
