"""Probes on a fake host: patience, what counts, and processes that do not stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pbxfleet.apply.probes import must_stay, probe_after_start, probe_once
from pbxfleet.core.errors import HostError
from pbxfleet.host.fake import FakeHost, healthy
from pbxfleet.model.asking import NO_ANSWER, OWN_NETWORK, Answer, Question
from pbxfleet.model.target import ExpectedListener, InstanceTarget, Need, Probes
from support.instances import instance

ROLES = (
    ("tcp", 80, "http"), ("tcp", 443, "https"), ("udp", 5060, "sip_udp"), ("tcp", 5061, "sip_tls"),
    ("udp", 9, "other"),
)  # fmt: skip
ALPHA = instance(
    "alpha", listeners=tuple(ExpectedListener(p, "192.0.2.1", n, role) for p, n, role in ROLES)
)


@pytest.fixture(name="host")
def _host() -> FakeHost:
    host = FakeHost({f"{ALPHA.directory}/pbx.xml": b"<c/>", ALPHA.executable: b""})
    host.run(ALPHA, by_hand=False)
    return host


def answering(problem: str, question: Question, times: int = 10**6) -> Callable[..., Answer]:
    left = [times]

    def answer(
        host: FakeHost, about: InstanceTarget, asked: Question, listener: ExpectedListener
    ) -> Answer:
        if asked is question and left[0] > 0:
            left[0] -= 1
            return Answer(0, b"", problem)
        return healthy(host, about, asked, listener)

    return answer


def test_every_listener_with_a_role_is_asked_once(host: FakeHost) -> None:
    found = [(p.question.value, p.listener.role, p.ok) for p in probe_once(host, ALPHA)]
    assert found == [
        ("session", "http", True),
        ("session", "https", True),
        ("sip_options", "sip_udp", True),
        ("sip_options", "sip_tls", True),
        ("certificate", "https", True),
        ("certificate", "sip_tls", True),
    ]
    off = ALPHA._replace(probes=Probes(Need.OFF, Need.OFF, Need.OFF, 0))
    assert probe_once(host, off) == ()


def test_what_comes_late_is_waited_for(host: FakeHost) -> None:
    host.answers = answering("connection refused", Question.SESSION, times=3)
    assert probe_after_start(host, ALPHA, 60) == ()
    assert host.paused_s == 1.5


def test_a_must_fails_when_the_time_is_over(host: FakeHost) -> None:
    host.answers = answering(NO_ANSWER, Question.SESSION)
    with pytest.raises(HostError, match=r"session call on tcp 192\.0\.2\.1:80 \(http\)"):
        probe_after_start(host, ALPHA, 20)
    assert host.paused_s <= 20


def test_a_may_is_tried_twice_and_told(host: FakeHost) -> None:
    host.answers = answering(NO_ANSWER, Question.OPTIONS)
    found = probe_after_start(host, ALPHA, 60)
    assert [(f.code, f.key) for f in found] == [("PLN127", "")] * 2
    assert host.paused_s == 1.0


def test_what_cannot_be_reached_from_here_is_no_failure(host: FakeHost) -> None:
    host.answers = answering(OWN_NETWORK, Question.SESSION)
    assert probe_after_start(host, ALPHA, 1) == ()
    assert [p.ok for p in probe_once(host, ALPHA)][:2] == [None, None]


def test_a_process_must_stay(host: FakeHost) -> None:
    first = host.runtime([ALPHA])["alpha"]
    must_stay(host, ALPHA, first)
    assert host.paused_s == ALPHA.probes.stable_s
    host.kill("alpha")
    with pytest.raises(HostError, match=r"ended within 2 s of its start"):
        must_stay(host, ALPHA, first)
    host.run(ALPHA, by_hand=False)
    with pytest.raises(HostError, match="replaced by another one within"):
        must_stay(host, ALPHA, first)
    host.kill("alpha")
    process = host.run(ALPHA, by_hand=False)
    now = host.runtime([ALPHA])["alpha"]

    def forget(seconds: float) -> None:
        host.processes["alpha"] = [process._replace(by_hand=True)]
        host.paused_s += seconds

    host.pause = forget  # type: ignore[method-assign]
    with pytest.raises(HostError, match="manager has given it up"):
        must_stay(host, ALPHA, now)
