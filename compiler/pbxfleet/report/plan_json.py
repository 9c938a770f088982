"""A plan as JSON, for programs and for plan files; and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.model.asking import CallsSeen
from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.plan import (
    Basis,
    Change,
    Do,
    FieldDelta,
    Note,
    Plan,
    Selection,
    Status,
    Step,
    Verb,
    Waiting,
)
from pbxfleet.model.target import Impact, Kind
from pbxfleet.report.summary import summary

FORMAT = 1


def plan_data(plan: Plan, *, with_basis: bool = False) -> dict[str, Any]:
    """The plan as plain data. `outcome` is `differences`, `nothing_to_do` or `refused` (blocked)."""
    counts = summary(plan)
    data: dict[str, Any] = {
        "format": FORMAT,
        "kind": "plan",
        "outcome": _outcome(plan),
        "host": plan.host,
        "root": plan.root,
        "summary": counts._asdict(),
        "changes": [change_data(c) for c in plan.changes],
        "notes": [n._asdict() for n in plan.notes],
        "steps": [s._asdict() for s in plan.steps],
        "outdated_records": list(plan.outdated),
        "calls": [c._asdict() for c in plan.calls],
        "selection": {key: list(words) for key, words in plan.selection._asdict().items()},
        "left": list(plan.left),
        "debts": debts_data(plan.debts),
        "waits": [_waiting_data(w) for w in plan.waits],
    }
    if with_basis:
        data["basis"] = plan.basis._asdict()
    return data


def _outcome(plan: Plan) -> str:
    if plan.blocked:
        return "refused"
    return "nothing_to_do" if plan.is_empty else "differences"


def encode_plan(plan: Plan) -> bytes:
    """The content of a plan file: everything that apply needs to do exactly this plan or refuse it."""
    return (json.dumps(plan_data(plan, with_basis=True), indent=1) + "\n").encode()


def decode_plan(content: bytes, name: str) -> Plan:
    """The plan in a plan file; Refused if it is not one, or of another format."""
    try:
        data = json.loads(content)
        if data["kind"] != "plan" or data["format"] != FORMAT:
            raise Refused(f"{name} is not a plan of format {FORMAT}", hint="make a new plan")
        check_texts({"host": data["host"], "root": data["root"]})
        return Plan(
            data["host"],
            data["root"],
            tuple(_change(c) for c in data["changes"]),
            tuple(Note(**check_texts(n)) for n in data["notes"]),
            tuple(_step(s) for s in data["steps"]),
            _texts(data["outdated_records"]),
            _basis(data["basis"]),
            tuple(_calls(c) for c in data.get("calls", ())),  # plan files of 0.1 may lack it
            _selection(data.get("selection", {})),
            _texts(data.get("left", [])),
            debts_from(data.get("debts", ())),
            tuple(_waiting(w) for w in data.get("waits", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(
            f"{name} is not a plan file: {error}", hint="pbxfleet plan HOST --out FILE makes one"
        ) from error


def change_data(change: Change) -> dict[str, Any]:
    """One change as plain data."""
    return {**change._asdict(), "fields": [f._asdict() for f in change.fields]}


def _change(data: Mapping[str, Any]) -> Change:
    check_texts(data, besides=("fields", "origin"))
    return Change(
        **{
            **data,
            "kind": Kind(data["kind"]),
            "path": HostPath(data["path"]),
            "status": Status(data["status"]),
            "action": Verb(data["action"]),
            "impact": Impact(data["impact"]),
            "fields": tuple(_field(f) for f in data["fields"]),
            "origin": _texts(data["origin"]),
        }
    )


def _field(data: Mapping[str, Any]) -> FieldDelta:
    shown = [value for value in (data["before"], data["after"]) if value is not None]
    _texts(shown)
    check_texts(data, besides=("before", "after"))
    return FieldDelta(**{**data, "status": Status(data["status"])})


def _step(data: Mapping[str, Any]) -> Step:
    if type(data["number"]) is not int:
        raise TypeError("number is not a number")
    check_texts(data, besides=("number",))
    return Step(
        **{
            **data,
            "do": Do(data["do"]),
            "path": HostPath(data["path"]),
            "impact": Impact(data["impact"]),
        }
    )


def _calls(data: Mapping[str, Any]) -> CallsSeen:
    number = data["number"]
    if number is not None and type(number) is not int:
        raise TypeError("a number of calls is not one")
    check_texts(data, besides=("number",))
    return CallsSeen(**data)


def debts_data(debts: Iterable[RestartDebt]) -> list[dict[str, Any]]:
    """Restarts that are owed, as they stand in JSON."""
    return [{**debt._asdict(), "names": list(debt.names)} for debt in debts]


def debts_from(data: Iterable[Mapping[str, Any]]) -> tuple[RestartDebt, ...]:
    """Restarts that are owed, from JSON; KeyError or TypeError where it does not hold them."""
    found = []
    for one in data:
        check_texts(one, besides=("names",))
        found.append(RestartDebt(**{**one, "names": _texts(one["names"])}))
    return tuple(found)


def _waiting_data(waiting: Waiting) -> dict[str, Any]:
    return {**waiting._asdict(), "changes": [change_data(c) for c in waiting.changes]}


def _waiting(data: Mapping[str, Any]) -> Waiting:
    check_texts(data, besides=("changes",))
    return Waiting(**{**data, "changes": tuple(_change(c) for c in data["changes"])})


def _basis(data: Mapping[str, Any]) -> Basis:
    check_texts({"target": data["target"]})
    observed, applied = dict(data["observed"]), dict(data["applied"])
    return Basis(Digest(data["target"]), check_texts(observed), check_texts(applied))


def _selection(data: Mapping[str, Any]) -> Selection:
    """Plan files of an earlier version have none: they are about everything."""
    return Selection(_texts(data.get("only", [])), _texts(data.get("without", [])))


def check_texts(data: Mapping[str, Any], besides: Sequence[str] = ()) -> Mapping[str, Any]:
    """The same data; TypeError if a value is not text, so that nothing else can be met later."""
    for key, value in data.items():
        if key not in besides and type(value) is not str:
            raise TypeError(f"{key} is not text")
    return data


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    if type(values) is not list or any(type(value) is not str for value in values):
        raise TypeError("a list of texts is not one")
    return tuple(values)
