"""Every bind of the grammar becomes the sockets it means, and a lost web port is no start."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from support.standin import (
    PORTS,
    Answer,
    Bound,
    bound,
    fresh_address,
    http_get,
    sip_options,
    wait_until,
)
from support.standin_box import Box, namespace

EVERY_ROLE = {
    "ip_http_port": "tcp",
    "ip_https_port": "tcp",
    "sip_udp_port": "udp",
    "sip_tcp_port": "tcp",
    "sip_tls_port": "tcp",
    "tftp_port": "udp",
    "snmp_port": "udp",
    "ldap_port": "tcp",
}
OFF = dict.fromkeys(PORTS, "")


def everything(address: str) -> set[Bound]:
    return {Bound(protocol, address, PORTS[name]) for name, protocol in EVERY_ROLE.items()}


@pytest.fixture
def taken(box: Box) -> Iterator[Callable[[str, int], None]]:
    """Takes a port of an address with a plain socket, as a foreign program does."""
    sockets: list[socket.socket] = []

    def take(address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family)
        sockets.append(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(1)

    yield take
    for sock in sockets:
        sock.close()


def test_it_binds_its_own_address_only(box: Box) -> None:
    assert bound(box.start()) == everything(box.address)


def test_two_instances_share_all_ports_on_two_addresses(make_box: Callable[..., Box]) -> None:
    boxes = make_box(), make_box()
    for box in boxes:
        box.configure(sys_name=box.address)
        assert bound(box.start()) == everything(box.address)
    assert {b.address for b in boxes if f'"{b.address}"' in b.get("/rest/system/status").body} == {
        b.address for b in boxes
    }


def test_empty_is_off_and_several_binds_are_several_sockets(box: Box) -> None:
    other = fresh_address()
    web = f"{box.address}:18080  {box.address}:18081 {other}:18080"
    box.configure(**OFF | {"ip_http_port": web, "sip_udp_port": f"{box.address}:15060"})
    assert bound(box.start()) == {
        Bound("tcp", box.address, 18080),
        Bound("tcp", box.address, 18081),
        Bound("tcp", other, 18080),
        Bound("udp", box.address, 15060),
    }


def test_it_runs_without_any_port(box: Box) -> None:
    box.configure(**OFF)
    assert bound(box.start()) == set()


@pytest.mark.parametrize(("role", "name"), [("http", "ip_http_port"), ("https", "ip_https_port")])
def test_a_web_port_that_is_taken_is_no_start(
    box: Box, taken: Callable[[str, int], None], role: str, name: str
) -> None:
    taken(box.address, PORTS[name])
    box.configure(log_filename="pbx.log")
    done = box.run()
    why = f"does not start: {role}: cannot bind {box.address}:{PORTS[name]}: Address already in use"
    assert (done.returncode, done.stderr) == (1, f"pbxctrl: {why}\n")
    assert box.logged().rstrip().endswith(why)
    assert box.pids == []
    assert not box.pidfile.exists()


def test_in_front_it_refuses_as_well(box: Box, taken: Callable[[str, int], None]) -> None:
    taken(box.address, PORTS["ip_http_port"])
    popen = box.start_in_front()
    _, errors = popen.communicate(timeout=30)
    assert popen.returncode == 1
    assert "Address already in use" in errors


@pytest.mark.parametrize("name", ["sip_tcp_port", "sip_tls_port", "ldap_port"])
def test_any_other_port_that_is_taken_is_logged_only(
    box: Box, taken: Callable[[str, int], None], name: str
) -> None:
    taken(box.address, PORTS[name])
    box.configure(log_filename="pbx.log")
    assert bound(box.start()) == everything(box.address) - {Bound("tcp", box.address, PORTS[name])}
    role = name.removesuffix("_port")
    assert f"{role}: cannot bind {box.address}:{PORTS[name]}: Address already" in box.logged()


def test_two_instances_share_one_udp_port_without_a_word(make_box: Callable[..., Box]) -> None:
    first = make_box()
    second = make_box(address=first.address)
    first.configure(log_filename="pbx.log")
    bind = f"{first.address}:15060"
    second.configure(**OFF | {"sip_udp_port": bind, "log_filename": "pbx.log"})
    assert Bound("udp", first.address, 15060) in bound(first.start())
    assert bound(second.start()) == {Bound("udp", first.address, 15060)}
    assert "cannot bind" not in first.logged() + second.logged()


def test_an_address_that_the_host_does_not_have_is_no_start(box: Box) -> None:
    box.configure(ip_http_port="192.0.2.77:18080")
    done = box.run()
    assert done.returncode == 1
    assert "cannot bind 192.0.2.77:18080: Cannot assign requested address" in done.stderr


@pytest.mark.parametrize(
    "bind",
    ["0", "65536", "http", "-1", ":80", "127.0.0.1:", "localhost:80", "127.1:80", "::1:80",
     "[127.0.0.1]:80", "[::1]", "127.0.0.1:+80", "127.0.0.1:\N{FULLWIDTH DIGIT EIGHT}0",
     "[::1%lo]:80", "[127.0.0.1:80", "[[::1]]:80", "[]:80"],
)  # fmt: skip
def test_what_is_not_a_bind_is_a_port_that_cannot_be_bound(box: Box, bind: str) -> None:
    box.configure(ip_https_port=bind)
    done = box.run()
    assert done.returncode == 1
    assert f"does not start: https: {bind!r} " in done.stderr
    box.configure(sip_tls_port=bind, log_filename="pbx.log")
    assert len(bound(box.start())) == 7
    assert f"sip_tls: {bind!r} " in box.logged()


def free_port(address: str) -> int:
    """A port of the IPv6 loopback address, or 0 when this kernel has none."""
    try:
        with closing(socket.socket(socket.AF_INET6)) as sock:
            sock.bind((address, 0))
            return int(sock.getsockname()[1])
    except OSError:
        return 0


def test_ipv6_binds_have_the_verdict_of_the_kernel(box: Box) -> None:
    port = free_port("::1")
    web = f"{box.address}:18080 [::1]:{port or 18080}"
    sip = f"[::1]:{port or 18080}"
    box.configure(**OFF | {"ip_http_port": web, "sip_udp_port": sip, "rtp_bind_ip4": "::1"})
    done = box.run()
    assert done.returncode == (0 if port else 1)
    if port:
        assert bound(box.pid) == {
            Bound("tcp", box.address, 18080),
            Bound("tcp6", "::1", port),
            Bound("udp6", "::1", port),
        }
        assert http_get("::1", port, "/rest/system/session").status == 200
        assert sip_options("::1", port).startswith("SIP/2.0 200 OK\r\n")
        box.post("/standin/rtp?n=1")
        assert {b.protocol for b in media(box)} == {"udp6"}


@pytest.mark.parametrize(
    ("bind", "wildcard", "families"),
    [
        ("5060", "dual", {("6", "::")}),
        ("5060", "two", {("", "0.0.0.0"), ("6", "::")}),
        ("0.0.0.0:5060", "dual", {("", "0.0.0.0")}),
        ("[::]:5060", "dual", {("6", "::")}),
        ("0.0.0.0:5060 [::]:5060", "dual", {("", "0.0.0.0"), ("6", "::")}),
    ],
)
def test_wildcards(box: Box, bind: str, wildcard: str, families: set[tuple[str, str]]) -> None:
    box.configure(**OFF | {"ip_http_port": bind, "sip_udp_port": bind})
    box.behave(wildcard=wildcard)
    if not os.path.exists("/proc/net/if_inet6"):  # a kernel without IPv6
        families = set() if "[::]" in bind else {("", "0.0.0.0")}
    popen = box.start_in_front(under=namespace())
    wait_until(lambda: box.pidfile.exists() or popen.poll() is not None, "started or refused")
    if not families:
        assert popen.wait(30) == 1
        return
    assert bound(popen.pid) == {
        Bound(kind + family, address, 5060)
        for kind in ("tcp", "udp")
        for family, address in families
    }


def test_a_bare_port_takes_ipv4_and_ipv6_in_one_socket_unless_told_otherwise(box: Box) -> None:
    # Were it two sockets, or one for IPv6 only, the second bind would find the port free.
    box.configure(**OFF | {"ip_http_port": "5060 0.0.0.0:5060"})
    popen = box.start_in_front(under=namespace())
    _, errors = popen.communicate(timeout=30)
    assert popen.returncode == 1
    assert "cannot bind 0.0.0.0:5060: Address already in use" in errors


def test_other_element_names_can_be_given_to_the_roles(box: Box) -> None:
    box.configure(**OFF | {"ip_http_port": f"{box.address}:18080", "udp": f"{box.address}:15060"})
    box.behave(names="sip_udp=udp snmp=other")
    assert bound(box.start()) == {
        Bound("tcp", box.address, 18080),
        Bound("udp", box.address, 15060),
    }


# --- media and CPU ---------------------------------------------------------------------------


def media(box: Box) -> set[Bound]:
    return {b for b in bound(box.pid) if 40000 <= b.port <= 40999}


def test_there_are_no_media_sockets_without_calls(box: Box) -> None:
    box.start()
    assert box.post("/standin/calls?n=5").body == '{"calls": 5}'
    assert media(box) == set()


def test_media_sockets_are_pairs_on_the_media_address_within_the_range(box: Box) -> None:
    box.configure(rtp_port_start="40001", rtp_port_end="40009")
    box.start()
    body = box.post("/standin/rtp?n=2").body
    assert len(media(box)) == 4
    box.post("/standin/rtp?n=9")
    assert media(box) == {Bound("udp", box.address, port) for port in range(40002, 40010)}
    assert all(int(port) % 2 == 0 for port in body.strip('{}"rtp: []').split(", "))
    box.post("/standin/rtp?n=0")
    assert media(box) == set()


@pytest.mark.parametrize(
    "settings",
    [{"rtp_port_start": "40000", "rtp_port_end": "40000"}, {"rtp_port_start": ""},
     {"rtp_bind_ip4": "192.0.2.77"}, {"rtp_bind_ip4": "pbx.example.com"}],
)  # fmt: skip
def test_media_that_cannot_be_bound_is_logged_only(box: Box, settings: dict[str, str]) -> None:
    box.configure(log_filename="pbx.log", **settings)
    box.start()
    assert box.post("/standin/rtp?n=1000") == Answer(200, '{"rtp": []}')
    assert "0 of 200 pairs: " in box.logged()
    assert box.get("/rest/system/session").status == 200


def test_usr1_opens_one_pair_more(box: Box) -> None:
    pid = box.start()
    os.kill(pid, signal.SIGUSR1)
    wait_until(lambda: len(media(box)) == 2, "two media sockets")
    os.kill(pid, signal.SIGUSR1)
    wait_until(lambda: len(media(box)) == 4, "four media sockets")


def test_an_empty_media_address_is_every_address(box: Box) -> None:
    box.configure(rtp_bind_ip4="", **OFF)
    popen = box.start_in_front(under=namespace())
    wait_until(box.pidfile.exists, "the PID file is there")
    os.kill(popen.pid, signal.SIGUSR1)
    wait_until(lambda: len(bound(popen.pid)) == 2, "two media sockets")
    assert {b.address for b in bound(popen.pid)} == {"0.0.0.0"}


def test_it_sets_its_own_affinity(box: Box) -> None:
    cpu = max(os.sched_getaffinity(0))
    box.configure(affinity_mask=str(1 << cpu))
    assert os.sched_getaffinity(box.start()) == {cpu}


@pytest.mark.parametrize("mask", ["0", "0x1", "-1", "1 2", str(1 << 900)])
def test_a_mask_that_cannot_be_set_is_logged_only(box: Box, mask: str) -> None:
    box.configure(affinity_mask=mask, log_filename="pbx.log")
    assert os.sched_getaffinity(box.start()) == os.sched_getaffinity(0)
    assert f"cannot set the affinity mask {mask}: " in box.logged()
