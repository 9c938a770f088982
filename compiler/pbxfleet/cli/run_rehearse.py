"""`pbxfleet rehearse`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.cli.run_validate import diagnostics_data, show
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Rehearse the loss of hosts; with --detailed-exitcode exit 2 if an instance has no place."""
    from pbxfleet.app.rehearse import rehearse_fleet
    from pbxfleet.report.rehearsal import rehearsal_data, rehearsal_text

    done = rehearse_fleet(args.chdir, args.hosts, args.out or "")
    failed = show(done.fleet, output, advice=False)
    losing = any(not host.survives for host in done.hosts)
    differs = losing and args.detailed_exitcode
    exit_code = Exit.REFUSED if failed else Exit.DIFFERENCES if differs else Exit.DONE
    output.data(
        {
            **diagnostics_data(done.fleet, failed=failed),
            "outcome": exit_code.word,
            "hosts": rehearsal_data(done.hosts),
            "written": list(done.written),
        }
    )
    if failed:
        output.say("nothing was rehearsed")
        return exit_code
    output.text(rehearsal_text(done.hosts, details=bool(args.hosts), paint=output.paint()))
    for path in done.written:
        output.text(f"wrote {path}\n")
    return exit_code
