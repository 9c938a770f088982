"""What commands print with --json and compile writes, as models: only their JSON Schemas are used.

A reader takes keys that it does not know: they may be added to any of these, and are never renamed.
Tests hold real output against the models, key by key.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from pbxfleet.schema.outputs.adopting import DriftCommandDocument
from pbxfleet.schema.outputs.diagnostics import DiagnosticsDocument, ErrorDocument
from pbxfleet.schema.outputs.diff import DiffDocument
from pbxfleet.schema.outputs.explained import ExplainDocument, LearnDocument
from pbxfleet.schema.outputs.fleet import AddressesDocument, CapacityDocument
from pbxfleet.schema.outputs.history import ConfirmDocument, HistoryDocument, UndoDocument
from pbxfleet.schema.outputs.host import ApplyDocument, StatusDocument
from pbxfleet.schema.outputs.plan import PlanDocument, PlanFileDocument
from pbxfleet.schema.outputs.rehearsal import RehearseDocument
from pbxfleet.schema.outputs.release import ReleaseDocument
from pbxfleet.schema.outputs.rendered import ManifestDocument, SettingsDocument
from pbxfleet.schema.outputs.report import ReportDocument
from pbxfleet.schema.outputs.written import (
    CompletionDocument,
    DemoDocument,
    FmtDocument,
    InitDocument,
    MoveDocument,
    SchemasDocument,
)

DOCUMENTS: Mapping[str, type[BaseModel]] = {
    "addresses.schema.json": AddressesDocument,
    "apply.schema.json": ApplyDocument,
    "capacity.schema.json": CapacityDocument,
    "completion.schema.json": CompletionDocument,
    "confirm.schema.json": ConfirmDocument,
    "demo.schema.json": DemoDocument,
    "diagnostics.schema.json": DiagnosticsDocument,
    "diff.schema.json": DiffDocument,
    "drift.schema.json": DriftCommandDocument,
    "error.schema.json": ErrorDocument,
    "explain.schema.json": ExplainDocument,
    "fmt.schema.json": FmtDocument,
    "history.schema.json": HistoryDocument,
    "init.schema.json": InitDocument,
    "learn.schema.json": LearnDocument,
    "manifest.schema.json": ManifestDocument,
    "move.schema.json": MoveDocument,
    "plan.schema.json": PlanDocument,
    "planfile.schema.json": PlanFileDocument,
    "rehearse.schema.json": RehearseDocument,
    "release.schema.json": ReleaseDocument,
    "report.schema.json": ReportDocument,
    "schemas.schema.json": SchemasDocument,
    "settings.schema.json": SettingsDocument,
    "status.schema.json": StatusDocument,
    "undo.schema.json": UndoDocument,
}

# Of the commands whose document is not named after them.
_OTHER_NAMES: Mapping[str, str] = {
    "compile": "diagnostics",
    "rollback": "apply",
    "schema": "schemas",
    "show": "plan",
    "validate": "diagnostics",
}


def document_of(command: str) -> str:
    """The file name of the schema of what a command prints with --json, unless it refuses."""
    return f"{_OTHER_NAMES.get(command, command)}.schema.json"
