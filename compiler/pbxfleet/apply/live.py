"""Change settings of a running process, and look what it made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pbxfleet.apply.readback import NORMALISED, NOT_TAKEN, Unproven
from pbxfleet.core.errors import HostError
from pbxfleet.host.asking import ask_web, configure_web
from pbxfleet.host.base import Host, HostView
from pbxfleet.model.applied import Live, element_digest
from pbxfleet.model.asking import Question
from pbxfleet.model.journal import ConfigureBack
from pbxfleet.model.observed import process_key
from pbxfleet.model.runtime import setting_key, spelling_key
from pbxfleet.model.target import Field, InstanceTarget
from pbxfleet.model.verdict import Verdict
from pbxfleet.pbx.live import may_be_live, takes
from pbxfleet.pbx.meaning import judged, must_change
from pbxfleet.pbx.rest import settings_in, why_not


class Configuring(NamedTuple):
    """What is about to be set in which process; `before` is what it says now."""

    process: str
    fields: tuple[Field, ...]
    before: Mapping[str, str]

    def inverse(self, instance: InstanceTarget) -> ConfigureBack:
        """How it is taken back, as long as what we set is still there."""
        ours = {f.name: f.value or "" for f in self.fields}
        return ConfigureBack(instance, {name: self.before[name] for name in ours}, ours)


def prepare_live(view: HostView, instance: InstanceTarget, fields: Sequence[Field]) -> Configuring:
    """The declared settings that the running process has otherwise; HostError if it does not tell."""
    process = process_of(view, instance)
    if not process:
        raise HostError(instance.service, "does not run; its settings cannot be changed live")
    told = _told(view, instance)
    changed = tuple(f for f in fields if may_be_live(f) and takes(f, told) and _differs(f, told))
    return Configuring(process, changed, told)


def perform_live(
    host: Host, instance: InstanceTarget, what: Configuring
) -> tuple[tuple[Unproven, ...], Live]:
    """Set them, read them back, and say which were spelled otherwise or not taken.

    HostError if the process ended meanwhile, or does not tell what it has now: then nobody knows.
    """
    refused = ""
    if what.fields:
        values = {f.name: f.value or "" for f in what.fields}
        refused = why_not(configure_web(host, instance, values))
    told = _told(host, instance)
    if process_of(host, instance) != what.process:
        raise HostError(instance.service, "the process ended while its settings were changed")
    given: dict[str, str | None] = {}
    not_taken: dict[str, str | None] = {}
    said = []
    for field in what.fields:
        verdict = judged(field, told.get(field.name))
        digest = element_digest(field.value)
        (not_taken if verdict is Verdict.REJECTED else given)[field.name] = digest
        if verdict is not Verdict.ACCEPTED:
            said.append(_said(field, told.get(field.name), verdict, refused))
    return tuple(said), Live(what.process, given, not_taken)


def take_live_back(host: Host, inverse: ConfigureBack) -> str:
    """Set the previous values again where ours are still there; what others set since stays."""
    if not process_of(host, inverse.instance):
        return "it does not run; settings that were changed live are as it has written them"
    told = _told(host, inverse.instance)
    back = {
        name: before
        for name, before in inverse.before.items()
        if told.get(name) == inverse.ours[name] and before != inverse.ours[name]
    }
    if not back:
        return ""
    if refused := why_not(configure_web(host, inverse.instance, back)):
        raise HostError(inverse.instance.service, f"settings could not be set back: {refused}")
    told = _told(host, inverse.instance)
    left = sorted(name for name, value in back.items() if told.get(name) != value)
    return f"the running process did not take back {', '.join(left)}" if left else ""


def process_of(view: HostView, instance: InstanceTarget) -> str:
    """The identity of the running process, "" if none or several run."""
    runtime = view.runtime([instance]).get(instance.name)
    return process_key(runtime, view.facts().boot)


def _told(view: HostView, instance: InstanceTarget) -> Mapping[str, str]:
    told, why = settings_in(ask_web(view, instance, Question.CONFIG))
    if told is None:
        raise HostError(instance.service, f"does not tell its settings: {why}")
    return told


def _differs(field: Field, told: Mapping[str, str]) -> bool:
    return must_change(field, told.get(field.name), opaque=False, known=True)


def _said(field: Field, observed: str | None, verdict: Verdict, refused: str) -> Unproven:
    is_now = '""' if observed == "" else observed
    if verdict is Verdict.NORMALISED:
        key = spelling_key(field.name, observed, element_digest(field.value))
        text = f"{field.name}: {field.value} is spelled {is_now} by the PBX"
        return Unproven(key, text, NORMALISED)
    why = f" ({refused})" if refused else ""
    text = f"{field.name}: is {is_now}, declared {field.value}; it needs a restart{why}"
    return Unproven(setting_key(field.name, observed), text, NOT_TAKEN)
