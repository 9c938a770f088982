"""Declared settings: their names are known, their values fit, and no role owns them."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import SecretRef, SettingWish, Sourced
from pbxfleet.model.resolved import KeyTable, Reference, ResolvedSetting
from pbxfleet.pbx.catalogue import SETTINGS, check_value
from pbxfleet.pbx.key_table import knows
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


def check_known(draft: Draft) -> None:
    """Refuse every element that would be written and is not in the list of the release (SET106).

    Also those of roles, and whatever a layer says of `raw`: the list is exact.
    """
    table = draft.elements.reference.known
    if table is None:
        return
    for setting in draft.settings:
        removed = setting.value is None and any(knows(r, setting.name) for r in _others(draft))
        if setting.name in table.names or removed:
            continue
        if setting.name in draft.elements.reference.settings:
            continue  # SET108 says so, once for all instances
        draft.share(_not_in_release(draft, setting, table))


def _not_in_release(draft: Draft, setting: ResolvedSetting, table: KeyTable) -> Diagnostic:
    release, name = draft.elements.release, setting.name
    knowing = [n for n, r in sorted(draft.references.items()) if knows(r, name)]
    wish = draft.layer.settings.get(name)
    declared = setting.label == f"settings.{name}"
    place = (wish.value.named_at if wish is not None and declared else None) or setting.origin
    close = draft.problems.near(table.file, name, table.names)
    if knowing:
        hint = f"known to {', '.join(knowing)}; say it only for instances of these"
    elif close:
        hint = f'did you mean "{close}"?'
    else:
        hint = f"if it does, add the name to {table.file}"
    return Diagnostic(
        "SET106",
        f'release {release.name} does not know "{name}"'
        + ("" if declared else f", the element of {setting.label}"),
        place,
        hint=hint,
    )


def _others(draft: Draft) -> Iterator[Reference]:
    own = draft.elements.release.name
    return (reference for name, reference in draft.references.items() if name != own)


def _unknown(draft: Draft, name: str, setting: Sourced[SettingWish]) -> Diagnostic | None:
    reference = draft.elements.reference
    if reference.known is not None:
        return None  # `check_known` compares with the list, which is exact
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
