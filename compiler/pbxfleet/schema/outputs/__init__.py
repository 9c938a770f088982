"""What commands print with --json and compile writes, as models: only their JSON Schemas are used.

A reader takes keys that it does not know: they may be added to any of these, and are never renamed.
Tests hold real output against the models, key by key.
"""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.schema.outputs.base import Record
from pbxfleet.schema.outputs.diagnostics import DiagnosticsDocument, ErrorDocument
from pbxfleet.schema.outputs.host import ApplyDocument, DriftDocument, StatusDocument
from pbxfleet.schema.outputs.plan import PlanDocument, PlanFileDocument
from pbxfleet.schema.outputs.rendered import ManifestDocument, SettingsDocument

DOCUMENTS: Mapping[str, type[Record]] = {
    "apply.schema.json": ApplyDocument,
    "diagnostics.schema.json": DiagnosticsDocument,
    "drift.schema.json": DriftDocument,
    "error.schema.json": ErrorDocument,
    "manifest.schema.json": ManifestDocument,
    "plan.schema.json": PlanDocument,
    "planfile.schema.json": PlanFileDocument,
    "settings.schema.json": SettingsDocument,
    "status.schema.json": StatusDocument,
}
