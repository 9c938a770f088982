"""The fleet as `read_fleet` sees it, with work left out for hosts of which nothing changed.

A host's results are kept under the digest of everything they were made of: the program, the fleet
file and what it names, the host's file, its instances' files, its part of the ledger, and the same of
every host that a peer of its instances is on. Whatever has any other digest is worked out anew, by
the very functions that `read_fleet` uses.

Only sound fleets are kept. As soon as there is an error, or anything unusual in the folders, the
answer is None: then only the full reading can tell all problems.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pbxfleet.app.fleet import (
    FOLDERS,
    LEDGER,
    Fleet,
    inputs_of,
    load_references,
    load_templates,
    read_document,
)
from pbxfleet.app.kept import (
    FileFacts,
    HostEntry,
    Index,
    forget_others,
    load_entry,
    load_index,
    save_entry,
    save_index,
)
from pbxfleet.core.diagnostics import Diagnostic, Severity, in_order
from pbxfleet.core.digest import sha256
from pbxfleet.host.cache import Cache, cache_of, program_digest
from pbxfleet.host.disk import absolute
from pbxfleet.host.workspace import ReadProblem, read_tree
from pbxfleet.model.desired import Desired, Layer
from pbxfleet.model.resolved import Ledger, Resolved, ResolvedHost
from pbxfleet.resolve.checks import check_fleet, check_host, summarise
from pbxfleet.resolve.context import FleetContext, fleet_context
from pbxfleet.resolve.host import HostDraft, HostFindings, draft_host, link_host
from pbxfleet.resolve.ledger_parts import NOTHING, joined, parts_of
from pbxfleet.resolve.ledger_text import ledger_text
from pbxfleet.resolve.resolve import built_instances, conclude, files_by_host
from pbxfleet.schema.layout import Layout, Part, lay_out
from pbxfleet.source.load import SUFFIXES
