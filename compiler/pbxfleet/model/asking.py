"""What a running instance is asked over the network, and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pbxfleet.model.target import ExpectedListener, InstanceTarget, Need

WEB_ROLES = ("http", "https")
SIP_ROLES = ("sip_udp", "sip_tcp", "sip_tls")
TLS_ROLES = ("https", "sip_tls")

TIMEOUT_S = 5.0  # for one question, from connecting to the last byte
NO_ANSWER = "no answer in time"
NO_LOGIN = "no [api]"
OWN_NETWORK = "it has a network of its own, which is not reached from here"


class Question(StrEnum):
    """Everything that is ever asked; none of it changes anything. Those from `STATUS` on need the login."""

    SESSION = "session"
    OPTIONS = "sip_options"
    CERTIFICATE = "certificate"
    SNMP_CALLS = "snmp_calls"
    STATUS = "status"
    CONFIG = "config"
    CHANGES = "changes"
    UPDATE = "update"


class Answer(NamedTuple):
    """What came back: an HTTP or SIP status, and the content; or why nothing did (`problem`).

    Of a certificate the content is the end of its validity, of SNMP the number, both as text.
    """

    status: int
    body: bytes
    problem: str


class CallsSeen(NamedTuple):
    """Calls on an instance; `number` None says that they are not known, for the reason `why`."""

    instance: str
    number: int | None
    why: str


class ConfigSeen(NamedTuple):
    """Settings as the running process tells them; None, with the reason, where it does not.

    Secret values among them are never shown.
    """

    values: Mapping[str, str] | None
    why: str


class Probed(NamedTuple):
    """What one probe of one listener gave; `ok` None: it cannot be asked from here.

    `said` is why it is not well, "" if it is.
    """

    instance: str
    question: Question
    listener: ExpectedListener
    need: Need
    ok: bool | None
    said: str


def listeners_of(instance: InstanceTarget, roles: tuple[str, ...]) -> tuple[ExpectedListener, ...]:
    """The declared listeners with one of these roles, in the order of the roles."""
    return tuple(x for role in roles for x in instance.listeners if x.role == role)
