"""One question to whichever web listener of an instance answers it."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.host.base import Host, HostView
from pbxfleet.model.asking import NO_LOGIN, WEB_ROLES, Answer, Question, listeners_of
from pbxfleet.model.target import ExpectedListener, InstanceTarget

REDIRECTS = range(300, 400)


def ask_web(view: HostView, instance: InstanceTarget, question: Question) -> Answer:
    """The answer to a question that needs the login.

    Plain HTTP first: the connection does not leave the machine, and TLS costs both sides time.
    """
    answer, _ = _first(view, instance, question)
    return answer


def configure_web(host: Host, instance: InstanceTarget, values: Mapping[str, str]) -> Answer:
    """Set settings at the first listener that tells the settings."""
    answer, listener = _first(host, instance, Question.CONFIG)
    return answer if listener is None else host.configure(instance, listener, values)


def _first(
    view: HostView, instance: InstanceTarget, question: Question
) -> tuple[Answer, ExpectedListener | None]:
    """The first answer that is no redirect, with its listener; else the last one."""
    if instance.api is None:
        return Answer(0, b"", NO_LOGIN), None
    answer = Answer(0, b"", "it has no web listener")
    for listener in listeners_of(instance, WEB_ROLES):
        answer = view.ask(instance, question, listener)
        if not answer.problem and answer.status not in REDIRECTS:
            return answer, listener
    return answer, None
