"""What `drift --json` printed, read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pbxfleet.core.errors import Refused
from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.drift import DriftItem
from pbxfleet.report.plan_json import check_texts, debts_from

FORMAT = 1
_NUMBERS = ("sightings", "flaps")
_OPTIONAL = ("applied", "observed")


class DriftDocument(NamedTuple):
    """One document. `pending` is the number of declared changes; `debts` None where none were told."""

    host: str
    items: tuple[DriftItem, ...]
    pending: int
    debts: tuple[RestartDebt, ...] | None


def decode_drift(content: bytes, name: str) -> DriftDocument:
    """The document in a file; Refused if it is not one, or of another format."""
    try:
        data = json.loads(content)
        if data["kind"] != "drift" or data["format"] != FORMAT:
            raise Refused(f"{name} is not a drift document of format {FORMAT}", hint=_HINT)
        check_texts({"host": data["host"]})
        return DriftDocument(
            data["host"],
            tuple(_item(one) for one in data["items"]),
            len(data["pending"]),
            debts_from(data["debts"]) if "debts" in data else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"{name} is not a drift document: {error}", hint=_HINT) from error


_HINT = "pbxfleet --json drift HOST prints one"


def _item(data: Mapping[str, Any]) -> DriftItem:
    values = {"kind": data["class"], **{key: data[key] for key in data if key != "class"}}
    known = {key: value for key, value in values.items() if key in DriftItem._fields}
    check_texts({key: known[key] for key in _OPTIONAL if known[key] is not None})
    check_texts(known, besides=(*_NUMBERS, *_OPTIONAL))
    if any(type(known[key]) is not int for key in _NUMBERS if key in known):
        raise TypeError("a number is not one")
    return DriftItem(**known)
