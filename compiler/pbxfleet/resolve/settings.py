"""Declared settings: their names are known, their values fit, and no role owns them."""

from __future__ import annotations

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import SecretRef, SettingWish, Sourced
from pbxfleet.model.resolved import ResolvedSetting
from pbxfleet.pbx.catalogue import SETTINGS, check_value
from pbxfleet.pbx.xml_text import forbidden_character
from pbxfleet.resolve.listeners import Draft
from pbxfleet.resolve.roles import key_of

# Whether the PBX takes a setting over while it runs is known only for those in the catalogue.
UNKNOWN_IMPACT = "restart"


def add_settings(draft: Draft) -> None:
    """Add the declared settings. Reports SET101 to SET103 and SET105."""
    for name, setting in draft.layer.settings.items():
        fault = (
            _owned_by_role(draft, name, setting)
            or _unknown(draft, name, setting)
            or _unfit(name, setting)
        )
        if fault is not None:
            draft.share(fault)
            continue
        row = SETTINGS.get(name)
        written = draft.elements.reference.settings.get(name)
        draft.settings.append(
            ResolvedSetting(
                name=name,
                value=setting.value.value,
                ownership=setting.value.ownership,
                impact=UNKNOWN_IMPACT if row is None else row.impact,
                label=f"settings.{name}",
                origin=setting.origin,
                overrode=setting.overrode if written is None else (*setting.overrode, written[1]),
            )
        )


def _owned_by_role(draft: Draft, name: str, setting: Sourced[SettingWish]) -> Diagnostic | None:
    role = draft.roles.roles.get(name)
    if role is None:
        return None
    related: list[tuple[Span, str]] = []
    if role in draft.roles.origins:
        related.append((draft.roles.origins[role], f"mapped to {role} here"))
    wish = draft.layer.listen.get(role)
    if wish is not None:
        related.append((wish.origin, f"{key_of(role)} is declared here"))
    return Diagnostic(
        "SET103",
        f'"{name}" is set through {key_of(role)}, not by its name',
        setting.value.named_at or setting.origin,
        related=tuple(related),
        hint=f"declare {key_of(role)} instead",
    )


def _unknown(draft: Draft, name: str, setting: Sourced[SettingWish]) -> Diagnostic | None:
    reference = draft.elements.reference
    if setting.value.raw or name in SETTINGS or name in reference.settings:
        return None
    close = draft.problems.near(reference.file, name, {*SETTINGS, *reference.settings})
    hint = f"if the PBX knows it, say so: settings.{name} = {{ value = ..., raw = true }}"
    return Diagnostic(
        "SET101",
        f'no setting "{name}" is known, neither in the catalogue nor in {reference.file}',
        setting.value.named_at or setting.origin,
        hint=f'did you mean "{close}"?' if close else hint,
    )


def _unfit(name: str, setting: Sourced[SettingWish]) -> Diagnostic | None:
    value, row = setting.value.value, SETTINGS.get(name)
    if value is None or isinstance(value, SecretRef):
        return None
    if row is not None and row.secret and value:
        return Diagnostic(
            "SET105",
            f'"{name}" is a secret, and its value stands in the fleet',
            setting.origin,
            hint=f'refer to it: settings.{name} = {{ secret = "NAME" }}; and change the secret, '
            "for it is in the history now",
        )
    wrong = forbidden_character(value)
    if wrong is not None:
        fault: str | None = f"U+{ord(wrong):04X} cannot be written in XML"
    else:
        fault = None if row is None else check_value(row, value)
    if fault is None:
        return None
    hint = "" if row is None else f"it is this setting: {row.summary}"
    message = f'the value of "{name}" does not fit: {fault}'
    return Diagnostic("SET102", message, setting.origin, hint=hint)
