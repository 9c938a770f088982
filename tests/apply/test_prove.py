"""Waiting for a start: how long, for what, and what is remembered of what was not so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pbxfleet.apply.prove import prove, wait_for
from pbxfleet.apply.readback import QUIET_S
from pbxfleet.core.errors import HostError
from pbxfleet.model.observed import ProcessSeen, RuntimeSeen, SocketSeen
from pbxfleet.model.target import InstanceTarget
from support.machine import Machine
from support.targets import Wish, fields_of, fleet

WISH = Wish("alpha", cpu=2)
TARGET = fleet(WISH)
ALPHA = TARGET.target.instances["alpha"]
SOCKETS = tuple(SocketSeen(*listener.bind, pid=9) for listener in ALPHA.listeners)
TIMEOUT_S = 60


def tree(*sockets: SocketSeen, cpus: tuple[int, ...] = (2,), replaced: bool = False) -> ProcessSeen:
    return ProcessSeen((9,), 9, cpus, replaced, sockets)


NOTHING = RuntimeSeen((), "")
GOOD = RuntimeSeen((tree(*SOCKETS),), "")


class Scripted(Machine):
    """A host on which what runs is told look by look; the last answer stays."""

    def __init__(self, *looks: RuntimeSeen) -> None:
        super().__init__()
        self.looks = list(looks)
        self.make_directory(ALPHA.directory, 0o755, "root:root")
        self.write(WISH.pbx_xml, TARGET.contents.files[f"root{WISH.pbx_xml}"], 0o600, "root:root")

    def runtime(self, instances: Sequence[InstanceTarget]) -> Mapping[str, RuntimeSeen]:
        return {"alpha": self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]}


def proven(*looks: RuntimeSeen) -> tuple[list[str], float]:
    host = Scripted(*looks)
    found = prove(host, ALPHA, fields_of(WISH), TIMEOUT_S)
    return [u.text for u in found], round(host.paused_s - QUIET_S, 3)


def failure(*looks: RuntimeSeen) -> tuple[str, float]:
    host = Scripted(*looks)
    with pytest.raises(HostError) as raised:
        prove(host, ALPHA, fields_of(WISH), TIMEOUT_S)
    return str(raised.value), round(host.paused_s, 1)


def test_what_runs_as_declared_needs_no_wait() -> None:
    assert proven(GOOD) == ([], 0)


def test_a_process_that_is_seen_late_is_waited_for() -> None:
    assert proven(*[NOTHING] * 10, GOOD) == ([], 1.0)


def test_listeners_that_come_late_are_waited_for() -> None:
    assert proven(*[RuntimeSeen((tree(),), "")] * 100, GOOD) == ([], 10.0)


def test_a_process_that_ends_is_noticed_at_once() -> None:
    starting = RuntimeSeen((tree(),), "")
    assert failure(starting, NOTHING) == (
        "pbx-alpha: the process ended right after it was started",
        0.1,
    )


def test_a_process_that_never_appears_is_waited_for_two_seconds() -> None:
    assert failure(NOTHING) == ("pbx-alpha: no process of it was found after the start", 2.0)


def test_a_listener_that_never_comes_is_named_when_the_time_is_over() -> None:
    text, waited = failure(RuntimeSeen((tree(SOCKETS[1]),), ""))
    assert text == "pbx-alpha: runs, but does not hold listener tcp 192.0.2.10:80"
    assert TIMEOUT_S <= waited <= TIMEOUT_S + 0.2


def test_where_sockets_cannot_be_read_a_process_is_proof_enough() -> None:
    assert proven(RuntimeSeen((tree(),), "another user's")) == ([], 0)


def test_what_a_restart_would_not_mend_is_returned() -> None:
    extra = SocketSeen("tcp", "0.0.0.0", 8080, 9)
    odd = RuntimeSeen((tree(*SOCKETS, extra, cpus=(0, 1), replaced=True), tree()), "")
    texts, _ = proven(odd)
    assert texts == [
        "cpu: is 0-1, declared 2",
        "executable: is an older file, declared the file on disk",
        "listener tcp 0.0.0.0:8080: is listening, declared absent",
        "processes: is 2, declared 1",
    ]


def test_keys_name_the_difference_and_hide_contents() -> None:
    host = Scripted(GOOD)
    content = (host.read(WISH.pbx_xml) or b"").replace(b">Alpha<", b">Mine<")
    host.write(WISH.pbx_xml, content, None, "")
    (found,) = prove(host, ALPHA, fields_of(WISH), TIMEOUT_S)
    assert found.text == "sys_name: is Mine, declared Alpha"
    assert found.key.startswith("setting sys_name=") and "Mine" not in found.key


def test_a_pbx_xml_that_is_gone_or_broken_after_the_start_is_a_failure() -> None:
    host = Scripted(GOOD)
    host.write(WISH.pbx_xml, b"<c>", None, "")
    with pytest.raises(HostError, match=r"^/srv/pbx-alpha/pbx\.xml:1:"):
        prove(host, ALPHA, fields_of(WISH), TIMEOUT_S)
    host.remove(WISH.pbx_xml)
    with pytest.raises(HostError, match="vanished"):
        prove(host, ALPHA, fields_of(WISH), TIMEOUT_S)


def test_a_timeout_of_nothing_is_one_look() -> None:
    host = Scripted(GOOD)
    assert wait_for(host, ALPHA, ["listener tcp 192.0.2.10:80"], 0) == GOOD
