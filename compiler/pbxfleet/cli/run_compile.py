"""`pbxfleet compile`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.cli.run_validate import diagnostics_data, show
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Compile; with --check write nothing and exit 2 if something would be written."""
    from pbxfleet.app.compile import compile_fleet

    compiled = compile_fleet(args.chdir, args.hosts, check=args.check)
    failed = show(compiled.fleet, output)
    stale = bool(compiled.changed) and args.check
    exit_code = Exit.REFUSED if failed else Exit.DIFFERENCES if stale else Exit.DONE
    output.data(
        {
            **diagnostics_data(compiled.fleet, failed=failed),
            "outcome": exit_code.word,
            "changed": list(compiled.changed),
        }
    )
    if failed:
        output.say("nothing was written")
        return exit_code
    for path in compiled.changed:
        output.text(f"{'stale' if args.check else 'wrote'} {path}\n")
    output.say(
        _sentence(compiled.hosts, compiled.instances, len(compiled.changed), check=args.check)
    )
    return exit_code


def _sentence(hosts: int, instances: int, changed: int, *, check: bool) -> str:
    what = f"{hosts} hosts, {instances} instances"
    if not changed:
        return f"{what}: rendered/ and the ledger are up to date"
    if check:
        return f"{what}: {changed} files are stale; run pbxfleet compile and commit the result"
    return f"{what}: {changed} files written"
