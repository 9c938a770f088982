"""How many calls an instance has now: asked over REST, else over SNMP, else not known."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.host.asking import ask_web
from pbxfleet.host.base import HostView
from pbxfleet.model.asking import CallsSeen, Question, listeners_of
from pbxfleet.model.target import InstanceTarget
from pbxfleet.pbx.rest import calls_in


def calls_on(view: HostView, instances: Iterable[InstanceTarget]) -> tuple[CallsSeen, ...]:
    """Calls of each instance, in the order given; what is not known is not zero."""
    return tuple(_calls(view, instance) for instance in instances)


def _calls(view: HostView, instance: InstanceTarget) -> CallsSeen:
    number, why = calls_in(ask_web(view, instance, Question.STATUS))
    if number is not None:
        return CallsSeen(instance.name, number, "")
    for listener in listeners_of(instance, ("snmp",)):
        answer = view.ask(instance, Question.SNMP_CALLS, listener)
        if answer.body.isdigit() and not answer.problem:
            return CallsSeen(instance.name, int(answer.body), "")
        why = f"{why}; SNMP: {answer.problem or 'no number'}"
    return CallsSeen(instance.name, None, why)
