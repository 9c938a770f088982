"""Drift of a host, with the memory of when each difference was first seen."""

from __future__ import annotations

import json
import time
from typing import NamedTuple

from pbxfleet.app.live import Live, Looked, look
from pbxfleet.core.errors import HostError
from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.plan import Change
from pbxfleet.plan.drift import RELEASE, UNDECLARED, drift_items, pending_changes

MEMORY = "drift"


class Drift(NamedTuple):
    """What somebody else changed, and beside it what is merely not applied yet.

    `every` item, shown or not, is there for whoever is told besides.
    """

    items: tuple[DriftItem, ...]
    pending: tuple[Change, ...]
    debts: tuple[RestartDebt, ...] = ()
    every: tuple[DriftItem, ...] = ()
    plan_differs: bool = False


def drift(live: Live, *, only_new: bool) -> Drift:
    """Compare the host with its applied record; findings carry the time they were first seen.

    The memory of findings is kept in the state folder, written only when it changes; where that
    cannot be written (not the superuser) every finding counts as seen just now.
    """
    looked = look(live)
    items = tuple(
        _with_version(live, looked, item)
        for item in drift_items(looked.difference, looked.observed)
    )
    known = _known(live)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    dated = tuple(item._replace(first_seen=known.get(item.key, now)) for item in items)
    _keep(live, known, {item.key: item.first_seen for item in dated})
    shown = tuple(i for i in dated if not (only_new and i.key in known))
    pending, differs = pending_changes(looked.difference.changes), not looked.plan.is_empty
    return Drift(shown, pending, looked.debts, dated, differs)


def _with_version(live: Live, looked: Looked, item: DriftItem) -> DriftItem:
    """A release that is not declared, with what its executable says of itself where it may be asked."""
    if item.name != RELEASE or not (item.observed or "").startswith(UNDECLARED):
        return item
    runtime = looked.observed.runtime.get(item.instance)
    if runtime is None or not runtime.trees or runtime.trees[0].replaced:
        return item
    from pbxfleet.host.told_version import told_version

    path = live.machine.root.machine_path(live.target.instances[item.instance].executable)
    says = told_version(path, runtime.trees[0].pids)
    said = f'{item.observed}; --version says "{says}"' if says else item.observed
    return item._replace(observed=said)


def _known(live: Live) -> dict[str, str]:
    content = live.state.read_record(MEMORY)
    if content is None:
        return {}
    try:
        data = json.loads(content)
        return {str(key): str(value) for key, value in data.items()}
    except (ValueError, AttributeError, RecursionError):
        return {}  # a damaged memory of dates must not hide the drift itself


def _keep(live: Live, known: dict[str, str], found: dict[str, str]) -> None:
    if known == found:
        return
    try:
        live.state.write_record(
            MEMORY, (json.dumps(found, indent=1, sort_keys=True) + "\n").encode()
        )
    except HostError:
        return
