"""Probes: does a running instance answer at its listeners, and does its process stay?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pbxfleet.apply.readback import NOT_ANSWERED, Unproven
from pbxfleet.core.errors import HostError
from pbxfleet.host.base import Host, HostView
from pbxfleet.model.asking import (
    NO_ANSWER,
    OWN_NETWORK,
    SIP_ROLES,
    TIMEOUT_S,
    TLS_ROLES,
    WEB_ROLES,
    Answer,
    Probed,
    Question,
    listeners_of,
)
from pbxfleet.model.observed import RuntimeSeen
from pbxfleet.model.runtime import LISTENER, listener_name
from pbxfleet.model.target import ExpectedListener, InstanceTarget, Need
from pbxfleet.pbx.rest import why_not

AGAIN_S = 0.5
MAY_TRIES = 2  # what may fail is not waited for: a datagram may get lost, and that is all
STEP_S = 1.0
WORDS = {
    Question.SESSION: "session call",
    Question.OPTIONS: "SIP OPTIONS",
    Question.CERTIFICATE: "certificate",
}


class _Probe(NamedTuple):
    question: Question
    listener: ExpectedListener
    need: Need


def probe_once(view: HostView, instance: InstanceTarget) -> tuple[Probed, ...]:
    """What every probe of a running instance gives now, in the order of declaration."""
    return tuple(_ask(view, instance, probe) for probe in _probes(instance))


def probe_after_start(
    host: Host, instance: InstanceTarget, timeout_s: float
) -> tuple[Unproven, ...]:
    """Ask until everything is well; HostError if what must answer has not after `timeout_s`.

    Returns a sentence for each probe that may fail and did.
    """
    found: list[Unproven] = []
    waited_s = 0.0
    for probe in _probes(instance):
        tries = 0
        while True:
            probed = _ask(host, instance, probe)
            tries += 1
            waited_s += AGAIN_S + (TIMEOUT_S if probed.said == NO_ANSWER else 0.0)
            if probed.ok is not False:
                break
            if probe.need is Need.MAY and tries >= MAY_TRIES:
                found.append(Unproven("", sentence(probed), NOT_ANSWERED))
                break
            if probe.need is Need.MUST and waited_s >= timeout_s:
                raise HostError(instance.service, f"runs, but {sentence(probed)}")
            host.pause(AGAIN_S)
    return tuple(found)


def sentence(probed: Probed) -> str:
    """A probe that was not answered well, in words."""
    name = listener_name(*probed.listener.bind).removeprefix(LISTENER)
    return f"{WORDS[probed.question]} on {name} ({probed.listener.role}): {probed.said}"


def must_stay(host: Host, instance: InstanceTarget, runtime: RuntimeSeen) -> None:
    """HostError if the process ends, is replaced or lost by its manager within the declared time."""
    stable_s = float(instance.probes.stable_s)
    first = _identity(runtime)
    was_known = host.service(instance).running
    while stable_s > 0 and first is not None:
        host.pause(min(STEP_S, stable_s))
        stable_s -= STEP_S
        now = _identity(host.runtime([instance]).get(instance.name, RuntimeSeen((), "")))
        within = f"within {instance.probes.stable_s} s of its start"
        if now is None:
            raise HostError(instance.service, f"the process ended {within}")
        if now != first:
            raise HostError(instance.service, f"the process was replaced by another one {within}")
        if was_known and not host.service(instance).running:
            raise HostError(instance.service, f"the service manager has given it up {within}")


def _identity(runtime: RuntimeSeen) -> tuple[int, int, frozenset[int | None]] | None:
    """Main process, and those that hold its sockets: below a supervisor these are what dies."""
    if not runtime.trees:
        return None
    tree = runtime.trees[0]
    holders = frozenset(s.pid for s in tree.sockets if s.protocol == "tcp")
    return (tree.pids[0], tree.started_ticks, holders)


def _probes(instance: InstanceTarget) -> Iterator[_Probe]:
    wanted = instance.probes
    yield from _of(instance, Question.SESSION, WEB_ROLES, wanted.session)
    yield from _of(instance, Question.OPTIONS, SIP_ROLES, wanted.sip_options)
    yield from _of(instance, Question.CERTIFICATE, TLS_ROLES, wanted.certificate)


def _of(
    instance: InstanceTarget, question: Question, roles: tuple[str, ...], need: Need
) -> Iterable[_Probe]:
    if need is Need.OFF:
        return ()
    return (_Probe(question, listener, need) for listener in listeners_of(instance, roles))


def _ask(view: HostView, instance: InstanceTarget, probe: _Probe) -> Probed:
    answer = view.ask(instance, probe.question, probe.listener)
    problem = _problem(probe.question, answer)
    ok = None if answer.problem == OWN_NETWORK else not problem
    return Probed(instance.name, probe.question, probe.listener, probe.need, ok, problem)


def _problem(question: Question, answer: Answer) -> str:
    """Why an answer does not prove life; any final response to a SIP request does (RFC 3261, 11)."""
    return why_not(answer) if question is Question.SESSION else answer.problem
