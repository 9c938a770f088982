"""Alias files of RHEL's network scripts: an address comes or goes, and no other file changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbxfleet.model.network import MOST_LABEL, alias_name
from support.network_fleet import network_files
from support.pages import diagnose, laid_over

OWN = ("203.0.113.10", "203.0.113.11")
ADDRESSES = st.lists(
    st.integers(0, 2**16 - 1).map(lambda n: IPv4Address("198.18.0.0") + n)
    | st.integers(1, 250).map(lambda n: IPv4Address("10.1.5.0") + n)
    | st.integers(1, 250).map(lambda n: IPv4Address("10.2.5.0") + n),
    min_size=2,
    max_size=6,
    unique=True,
)


def fleet(assigned: Sequence[IPv4Address], interface: str = "eth0") -> dict[str, str]:
    """A host with these addresses assigned in this order, each used by an instance.

    Behind them are the two of the small fleet's own instances.
    """
    listed = ", ".join(f'"{address}"' for address in (*assigned, *OWN))
    host = f'address = "203.0.113.2"\naddresses = [{listed}]\nrtp = "49152-64511"\n'
    files = {
        "desired/hosts/fra1.toml": f'{host}[network]\nbackend = "ifcfg"\ninterface = "{interface}"\n'
    }
    for address in assigned:
        name = f"i{str(address).replace('.', '-')}"
        files[f"desired/instances/{name}.toml"] = f'host = "fra1"\naddress = "{address}"\n'
    return files


def only(files: dict[str, str]) -> dict[str, bytes]:
    """The rendered files of the network alone."""
    return {k: v for k, v in network_files(files).items() if "/ifcfg-" in k}


@settings(max_examples=20)
@given(ADDRESSES, st.data())
def test_adding_or_removing_an_address_changes_no_other_file(
    assigned: list[IPv4Address], data: st.DataObject
) -> None:
    whole = only(fleet(assigned))
    assert len(whole) == len(assigned) + len(OWN)
    gone = data.draw(st.sampled_from(assigned))
    left = data.draw(st.permutations([a for a in assigned if a != gone]))
    rest = only(fleet(left))
    assert rest.items() < whole.items()
    (path,) = whole.keys() - rest.keys()
    assert f"IPADDR={gone}\n".encode() in whole[path]


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(1, 7))
def test_a_name_of_up_to_seven_characters_tells_all_addresses_apart(
    one: IPv4Address, other: IPv4Address, length: int
) -> None:
    interface = "e" * length
    names = [alias_name(interface, address) for address in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    for name in names:
        assert len(name) <= MOST_LABEL
        assert re.fullmatch("[0-9A-Za-z_]+", name.removeprefix(f"{interface}:"))


@pytest.mark.parametrize(
    ("interface", "addresses", "said"),
    [
        ("enp129s0f0", ("10.1.5.10", "10.2.5.10"), ""),
        ("abcdefghijklmn", ("10.1.5.10",), "leaves no room for the alias of 10.1.5.10"),
        ("abcdefghijklm", ("10.1.5.10", "10.1.5.46"), "would both be abcdefghijklm:"),
    ],
)
def test_a_name_that_is_too_long_is_refused(
    interface: str, addresses: tuple[str, ...], said: str
) -> None:
    files = fleet([IPv4Address(a) for a in addresses], interface)
    found = diagnose(laid_over({name: text.encode() for name, text in files.items()}))
    messages = [d.message for d in found if d.code == "NET203"]
    assert bool(messages) == bool(said)
    assert not said or any(said in message for message in messages)
