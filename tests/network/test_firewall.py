"""The rendered filter, loaded into the kernel, against real packets between two machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pbxfleet.host.commands import Ran, Runner
from pbxfleet.host.netfilter import Loaded, loaded, proof_in
from support.netns import Namespace, Pair, answering, probe
from support.network_fleet import HOST, network_files
from support.tree import ROOT

ALPHA, ALPHA6, BETA, GAMMA = "203.0.113.10", "2001:db8:1::10", "203.0.113.11", "203.0.113.12"
STANDARD, STANDARD6 = "203.0.113.2", "2001:db8:1::2"
ADMIN, ADMIN6 = "198.51.100.7", "2001:db8:ad::7"
STRANGER, STRANGER6 = "192.0.2.7", "2001:db8:bad::7"
FLEET = {
    "desired/hosts/fra1.toml": HOST + '[network]\nfirewall = "nftables"\n',
    "desired/instances/alpha.toml": f"""\
host = "fra1"
address = ["{ALPHA}", "{ALPHA6}"]
rtp = "50000-50003"
listen = {{ sip_udp = "{ALPHA}:5060 [{ALPHA6}]:5062" }}
admin_allow = ["198.51.100.0/24", "198.51.100.7", "2001:db8:ad::/48"]
""",
    "desired/instances/beta.toml": f'host = "fra1"\naddress = "{BETA}"\nrtp = "50004-50007"\n',
}

# protocol, from, to, port, whether it is let in
VERDICTS = (
    ("tcp", STRANGER, ALPHA, 5060, True),
    ("tcp", STRANGER, ALPHA, 5061, True),
    ("udp", STRANGER, ALPHA, 5060, True),
    ("udp", STRANGER, ALPHA, 5061, False),  # declared for TCP only
    ("tcp", STRANGER, ALPHA, 22, False),
    ("udp", STRANGER, ALPHA, 161, False),
    ("udp", STRANGER, ALPHA, 49999, False),  # around the media range
    ("udp", STRANGER, ALPHA, 50000, True),
    ("udp", STRANGER, ALPHA, 50003, True),
    ("udp", STRANGER, ALPHA, 50004, False),
    ("tcp", STRANGER, ALPHA, 50000, False),
    ("udp", STRANGER, BETA, 50003, False),  # the range of another instance
    ("udp", STRANGER, BETA, 50004, True),
    ("tcp", ADMIN, ALPHA, 80, True),
    ("tcp", ADMIN, ALPHA, 443, True),
    ("tcp", STRANGER, ALPHA, 80, False),
    ("tcp", STRANGER, ALPHA, 443, False),
    ("tcp", ADMIN, ALPHA, 22, False),
    ("tcp", STRANGER, BETA, 80, True),
    ("tcp", STRANGER6, ALPHA6, 5061, True),
    ("udp", STRANGER6, ALPHA6, 5062, True),
    ("udp", STRANGER6, ALPHA6, 5060, False),  # another port on this family
    ("udp", STRANGER6, ALPHA6, 50003, True),
    ("udp", STRANGER6, ALPHA6, 50004, False),
    ("tcp", ADMIN6, ALPHA6, 443, True),
    ("tcp", STRANGER6, ALPHA6, 443, False),
    ("tcp", STRANGER6, ALPHA6, 22, False),
    ("icmp", STRANGER, ALPHA, 0, True),
    ("icmp", STRANGER6, ALPHA6, 0, True),
    # The host's own addresses, and one that is assigned but not used: not looked at.
    ("tcp", STRANGER, STANDARD, 22, True),
    ("udp", STRANGER, STANDARD, 161, True),
    ("tcp", STRANGER6, STANDARD6, 22, True),
    ("tcp", STRANGER, GAMMA, 22, True),
)
# Whole files of rules, those of the example fleet among them.
RULES = sorted(
    path
    for folder in ("rendered", "tests/network/golden")
    for path in (ROOT / folder).rglob("etc/pbxfleet/*.nft")
    if "-" not in path.stem
)
OPERATORS = """\
table inet operators {
	chain input {
		type filter hook input priority filter + 5; policy accept;
		tcp dport 4711 counter drop
	}
}
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered file."""
    path = tmp_path_factory.mktemp("rules") / "firewall.nft"
    path.write_bytes(network_files(FLEET)["/etc/pbxfleet/firewall.nft"])
    return path


@pytest.fixture(scope="module")
def host(rules: Path) -> Iterator[Pair]:
    """The host with an operator's own rules; ours are loaded twice, as a reload does."""
    own = [f"{a}/32" for a in (STANDARD, ALPHA, BETA, GAMMA)]
    own += [f"{a}/128" for a in (STANDARD6, ALPHA6)]
    others = [f"{a}/32" for a in (ADMIN, STRANGER)] + [f"{a}/128" for a in (ADMIN6, STRANGER6)]
    pair = Pair(own, others)
    try:
        pair.run("nft", "-f", "-", text_in=OPERATORS)
        pair.run("nft", "-c", "-f", str(rules))
        assert "pbxfleet" not in pair.run("nft", "list", "tables")
        for _ in range(2):
            pair.run("nft", "-f", str(rules))
        yield pair
    finally:
        pair.stop()


def test_exactly_what_is_declared_is_let_in(host: Pair) -> None:
    listening = {(p, to, port) for p, _, to, port, _ in VERDICTS if p != "icmp"}
    with host.answering(sorted(listening)):
        found = host.probe([(p, source, to, port) for p, source, to, port, _ in VERDICTS])
    wrong = [(*case, said) for case, said in zip(VERDICTS, found, strict=True) if case[4] != said]
    assert wrong == []


def test_without_the_rules_everything_would_be_let_in(host: Pair, rules: Path) -> None:
    host.run("nft", "delete", "table", "inet", "pbxfleet")
    try:
        closed = [case for case in VERDICTS if not case[4]]
        with host.answering(sorted({(p, to, port) for p, _, to, port, _ in closed})):
            found = host.probe([(p, source, to, port) for p, source, to, port, _ in closed])
        assert all(found), "a probe fails for another reason than the rules"
    finally:
        host.run("nft", "-f", str(rules))


def test_answers_to_what_an_instance_began_come_back(host: Pair) -> None:
    sockets = [("tcp", STRANGER, 25), ("udp", STRANGER, 53), ("tcp", STRANGER6, 25)]
    with answering(host.peer, sockets):
        found = probe(host, [(p, ALPHA6 if ":" in a else ALPHA, a, n) for p, a, n in sockets])
    assert found == [True] * 3


def test_an_instance_reaches_another_one_of_the_host(host: Pair) -> None:
    with host.answering([("tcp", ALPHA, 80), ("tcp", ALPHA, 8080)]):
        found = probe(host, [("tcp", BETA, ALPHA, 80), ("tcp", BETA, ALPHA, 8080)])
    assert found == [True, True]


@pytest.mark.parametrize("file", RULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nft_takes_every_file_of_rules(file: Path) -> None:
    machine = Namespace()
    try:
        machine.run("nft", "-c", "-f", str(file))
        machine.run("nft", "-f", str(file))
        machine.run("nft", "-f", str(file))
        table = "pbxfleet" if file.stem == "firewall" else "pbxfleet_source"
        assert machine.run("nft", "list", "tables") == f"table inet {table}\n"
    finally:
        machine.stop()


def test_rules_of_others_stay(host: Pair) -> None:
    assert host.run("nft", "list", "tables") == "table inet operators\ntable inet pbxfleet\n"
    assert "tcp dport 4711" in host.run("nft", "list", "table", "inet", "operators")
    assert host.run("nft", "list", "table", "inet", "pbxfleet").count("chain input") == 1


class Inside(Runner):
    """Runs commands in a namespace, as somebody."""

    def __init__(self, machine: Namespace, *prefix: str) -> None:
        self.machine = machine
        self.prefix = prefix

    def run(self, argv: tuple[str, ...], timeout_s: float = 30.0) -> Ran:
        return super().run(self.machine.inside(*self.prefix, *argv), timeout_s)


def test_the_kernel_tells_which_rules_it_has(host: Pair, rules: Path) -> None:
    proof = proof_in(rules.read_text(encoding="utf-8"))
    assert len(proof) == 16
    assert loaded(Inside(host), "pbxfleet", "input") == Loaded(proof)
    assert loaded(Inside(host), "pbxfleet_source", "output") == Loaded("")
    assert loaded(Inside(host), "operators", "input") == Loaded("")
    nobody = Inside(host, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    assert "not permitted" in loaded(nobody, "pbxfleet", "input").problem


def test_without_nft_nothing_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbxfleet.host.commands.PATH", "/nonexistent")
    assert loaded(Runner(), "pbxfleet", "input").problem == "there is no such command"
