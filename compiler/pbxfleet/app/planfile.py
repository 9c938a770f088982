"""Plan files: a reviewed plan on disk."""

from __future__ import annotations

from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.disk import is_file, read_file, write_file
from pbxfleet.model.plan import Plan
from pbxfleet.report.plan_json import decode_plan, encode_plan


def store(plan: Plan, path: str) -> None:
    """Write the plan file, readable by its owner only: it shows what lies on the host."""
    write_file(path, encode_plan(plan), 0o600)


def load(path: str) -> Plan:
    """The plan in a file; Refused if there is none or it is something else."""
    hint = "pbxfleet plan HOST --out FILE makes a plan file"
    return decode_plan(content_of(path, hint), path)


def content_of(path: str, hint: str) -> bytes:
    """The content of a file that was named; Refused with `hint` if there is none."""
    try:
        content = read_file(path)
    except HostError as error:
        raise Refused(f"{path}: {error.message}") from error
    if content is None:
        raise Refused(f"{path} does not exist", hint=hint)
    return content


def is_plan_file(what: str) -> bool:
    """Whether an argument of apply names a plan file rather than a host.

    It does if there is such a file, or if no host can be called so: load() then says that there is none.
    """
    return is_file(what) or any(sign in what for sign in "./\\")
