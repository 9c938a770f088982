"""What the PBX answers to REST calls, as data: https://doc.vodia.com/openapi/vodia-rest-api.yaml.

Which fields the status has is not documented; `calls` is the name that programs written against it
use. What is not there is not known, and is never taken for zero.
"""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.model.asking import Answer

OK = 200
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
