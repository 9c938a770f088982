"""`pbxfleet compile`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from pbxfleet.cli.output import Output
from pbxfleet.cli.run_validate import diagnostics_data, show
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from pbxfleet.app.compile import Compiled

SHOWN = 12  # changed files that are named one by one; git names the rest


def run(args: Namespace, output: Output) -> int:
    """Compile; with --check write nothing and exit 2 if something would be written."""
    from pbxfleet.app.compile import compile_fleet

    compiled = compile_fleet(args.chdir, args.hosts, check=args.check)
    failed = show(compiled.fleet, output, advice=False)
    stale = bool(compiled.changed) and args.check
    exit_code = Exit.REFUSED if failed else Exit.DIFFERENCES if stale else Exit.DONE
    output.data(
        {
            **diagnostics_data(compiled.fleet, failed=failed),
            "outcome": exit_code.word,
            "changed": list(compiled.changed),
            "stale_fields": list(compiled.stale),
        }
    )
    if failed:
        output.say("nothing was written")
        return exit_code
    for path in compiled.changed[:SHOWN]:
        verb = "stale" if args.check else "removed" if path in compiled.removed else "wrote"
        output.text(f"{verb} {path}\n")
    if len(compiled.changed) > SHOWN:
        verb = "stale" if args.check else "wrote or removed" if compiled.removed else "wrote"
        output.text(f"{verb} {len(compiled.changed) - SHOWN} more files; --json names them all\n")
    for line in compiled.stale[:SHOWN]:
        output.text(f"  {line}\n")
    if len(compiled.stale) > SHOWN:
        output.text(f"  and {len(compiled.stale) - SHOWN} more fields\n")
    output.say(_sentence(compiled, check=args.check))
    return exit_code


def _sentence(compiled: Compiled, *, check: bool) -> str:
    from pbxfleet.report.summary import counted

    changed = len(compiled.changed)
    what = f"{counted(compiled.hosts, 'host')}, {counted(compiled.instances, 'instance')}"
    if not changed:
        return f"{what}: rendered/ and the ledger are up to date"
    if check:
        return (
            f"{what}: {counted(changed, 'file')} stale; run pbxfleet compile and commit the result"
        )
    done = "written or removed" if compiled.removed else "written"
    return f"{what}: {counted(changed, 'file')} {done}"
