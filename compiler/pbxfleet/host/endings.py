"""How a service of systemd ended, where it does not run any more."""

from __future__ import annotations

from pbxfleet.host.clock import in_utc
from pbxfleet.host.commands import Runner
from pbxfleet.host.services.systemd import parse_show, unit_name
from pbxfleet.model.evidence import Ending


def ending_of(runner: Runner, service: str) -> Ending | None:
    """How a service ended that does not run; None if it runs, or systemd knows of no end."""
    names = "ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,ExecMainExitTimestamp"
    argv = ("systemctl", "show", "--no-pager", "--timestamp=unix", f"--property={names}", "--")
    answers = parse_show(runner.run((*argv, unit_name(service))).stdout)
    fields = answers[0] if answers else {}
    at = fields.get("ExecMainExitTimestamp", "").removeprefix("@")
    status = fields.get("ExecMainStatus", "")
    if fields.get("ActiveState") == "active" or not at.isdigit() or not status.isdigit():
        return None
    # CLD_KILLED and CLD_DUMPED (waitid(2)); whoever asks for a stop gets `success`, however the process
    # ends then.
    by_request = fields.get("Result") == "success" and fields.get("SubState") == "dead"
    killed = fields.get("ExecMainCode") in ("2", "3") and not by_request
    return Ending(
        fields.get("Result", ""),
        killed,
        0 if by_request else int(status),
        in_utc(int(at) * 1_000_000_000),
    )
