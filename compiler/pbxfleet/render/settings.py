"""pbx.xml of an instance: the reference file of its release with the declared elements set."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Outcome
from pbxfleet.model.desired import SecretRef
from pbxfleet.model.resolved import Reference, ResolvedInstance, ResolvedSetting
from pbxfleet.model.target import Field, Impact
from pbxfleet.pbx.pbx_xml import PbxXmlError, edit
from pbxfleet.pbx.reference import diagnostic


class CompiledSettings(NamedTuple):
    """The first pbx.xml of an instance, and the elements that are declared, by name."""

    pbx_xml: bytes
    fields: tuple[Field, ...]


def compile_settings(instance: ResolvedInstance, reference: Reference) -> Outcome[CompiledSettings]:
    """Reference file and declared elements joined; secrets stay as the reference has them.

    Reports, with the codes of `pbx.pbx_xml`, every declared element that the file cannot take.
    """
    edits = {s.name: s.value for s in instance.settings if not isinstance(s.value, SecretRef)}
    try:
        content = edit(reference.content, edits)
    except PbxXmlError as error:
        return Outcome(None, _problems(instance, reference, error))
    fields = sorted((_field(setting) for setting in instance.settings), key=lambda f: f.name)
    return Outcome(CompiledSettings(content, tuple(fields)))


def _field(setting: ResolvedSetting) -> Field:
    secret = setting.value.name if isinstance(setting.value, SecretRef) else None
    return Field(
        name=setting.name,
        value=None if isinstance(setting.value, SecretRef) else setting.value,
        secret=secret,
        ownership=setting.ownership.value,
        impact=Impact(setting.impact),
        label=setting.label,
        origin=str(setting.origin),
        overrode=tuple(str(span) for span in setting.overrode),
    )


def _problems(
    instance: ResolvedInstance, reference: Reference, whole: PbxXmlError
) -> tuple[Diagnostic, ...]:
    """One diagnostic for each setting that cannot be edited; for the file if it is none of them."""
    found = []
    for setting in instance.settings:
        if isinstance(setting.value, SecretRef):
            continue
        try:
            edit(reference.content, {setting.name: setting.value})
        except PbxXmlError as error:
            found.append(_diagnostic(error, reference, setting))
    return tuple(found) or (_diagnostic(whole, reference, None),)


def _diagnostic(
    error: PbxXmlError, reference: Reference, setting: ResolvedSetting | None
) -> Diagnostic:
    found = diagnostic(error, reference.file)
    if setting is None or found.span is None:
        return found
    known = setting.name in reference.settings
    related = ((found.span, "in the reference file"),) if known else ()
    return replace(found, span=setting.origin, related=related)
