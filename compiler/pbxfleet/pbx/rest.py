"""What the PBX answers to REST calls, as data: https://doc.vodia.com/openapi/vodia-rest-api.yaml.

Which fields the status has is not documented; `calls` is the name that programs written against it
use. What is not there is not known, and is never taken for zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from pbxfleet.model.asking import Answer

OK = 200
EARLIEST_S, LATEST_S = 1_000_000_000, 10_000_000_000  # 2001 and 2286: other numbers are no times
MOST_DIGITS = 24
MOST_ADMIN = 64
WORDS = {
    401: "the login is refused",
    403: "the login has no API access",  # an administrator needs its API flag
    404: "there is no such call",
}


def why_not(answer: Answer) -> str:
    """Why an answer cannot be used, "" if it can."""
    if answer.problem:
        return answer.problem
    return "" if answer.status == OK else WORDS.get(answer.status, f"HTTP {answer.status}")


def calls_in(answer: Answer) -> tuple[int | None, str]:
    """The number of calls that a status tells; None with the reason where it does not."""
    if why := why_not(answer):
        return None, why
    number = (_object(answer.body) or {}).get("calls")
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number)
    if type(number) is int and number >= 0:
        return number, ""
    return None, "the status does not tell calls"


def settings_in(answer: Answer) -> tuple[Mapping[str, str] | None, str]:
    """Settings by name as text, the way pbx.xml has them; None with the reason where there are none."""
    if why := why_not(answer):
        return None, why
    told = _object(answer.body)
    if told is None:
        return None, "the settings are not a JSON object"
    return {name: text for name, value in told.items() if (text := _text(value)) is not None}, ""


class Logged(NamedTuple):
    """An entry of the changes log: seconds since 1970, and who, as far as it tells."""

    at_s: float
    admin: str
    address: str


def changes_in(
    answer: Answer, names: Collection[str], since_s: float, ours: str
) -> Mapping[str, Logged]:
    """The last entry of the changes log for each of these settings that it names, after `since_s`.

    The log has time, administrator, source address and a text (VODIA 9.2); how its fields are called is
    not documented. So an entry counts that has the name of a setting as a word, and a time that says by
    itself which one it is: seconds since 1970, or ISO 8601 with a zone. Entries of `ours`, the login
    that pbxfleet itself has, tell of nobody else.
    """
    found: dict[str, Logged] = {}
    for entry in () if why_not(answer) else _entries(answer.body):
        texts = [str(value) for value in entry.values()]
        at_s = max(map(_moment, entry.values()), default=0.0)
        if at_s <= since_s or ours in texts:
            continue
        admin = str(entry.get("admin", ""))
        clear = admin.isprintable() and len(admin) <= MOST_ADMIN
        address = next(filter(_is_address, texts), "")
        logged = Logged(at_s, admin if clear else "", address)
        for name in _words(texts).intersection(names):
            if name not in found or found[name].at_s < at_s:
                found[name] = logged
    return found


def _entries(body: bytes) -> list[dict[str, object]]:
    """The entries of a list, wherever it stands in the document."""
    import json

    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return []
    lists = [data] if isinstance(data, list) else []
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list)]
    return [entry for entries in lists for entry in entries if isinstance(entry, dict)]


def _words(texts: Iterable[str]) -> set[str]:
    kept = ("".join(c if c.isalnum() or c in "_-." else " " for c in text) for text in texts)
    return {word for text in kept for word in text.split()}


def _moment(value: object) -> float:
    """Seconds since 1970; 0 for what is no time, or could be one of several."""
    if isinstance(value, str) and len(value) < MOST_DIGITS:
        digits = value.replace(".", "", 1)
        value = float(value) if digits.isascii() and digits.isdigit() else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if EARLIEST_S <= value < LATEST_S else 0.0
    if not isinstance(value, str) or not value[:4].isdigit():
        return 0.0
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return 0.0
    return moment.timestamp() if moment.tzinfo is not None else 0.0


def _is_address(text: str) -> bool:
    if not (text and (":" in text or text.count(".") == 3) and len(text) <= 45):
        return False
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def update_in(answer: Answer) -> bool:
    """Whether the running process says that it has updated itself: `finished` and `success`."""
    told = {} if why_not(answer) else _object(answer.body) or {}
    return all(_text(told.get(name)) in ("true", "1") for name in ("finished", "success"))


def _object(body: bytes) -> dict[str, object] | None:
    import json

    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
