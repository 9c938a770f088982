"""The pages of diagnostic codes, as they are installed with the program."""

from __future__ import annotations

from pbxfleet.core.diagnostics import nearest
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import folder_names, package_path, read_file

FOLDER = package_path("pages")


def codes() -> tuple[str, ...]:
    """All codes that have a page, sorted."""
    return tuple(n.removesuffix(".md") for n in folder_names(FOLDER) if n.endswith(".md"))


def page(code: str) -> str:
    """The page of a code; Refused with the nearest known code if there is none."""
    known = codes()
    wanted = code.upper()
    if wanted not in known:
        close = nearest(wanted, known)
        hint = f'did you mean "{close}"? ' if close else ""
        raise Refused(
            f"{code} is not a diagnostic code", hint=f"{hint}pbxfleet explain lists all codes"
        )
    return (read_file(f"{FOLDER}/{wanted}.md") or b"").decode()


def titles() -> list[tuple[str, str]]:
    """Every code with the title of its page."""
    return [(code, page(code).partition("\n")[0].partition(": ")[2]) for code in codes()]
