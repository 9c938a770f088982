"""`pbxfleet plan`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.cli.scope import selection
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print the plan; with --detailed-exitcode exit 2 if there is something to do, 8 if it is denied."""
    from pbxfleet.app.settled import is_settled
    from pbxfleet.model.plan import EVERYTHING

    whole = selection(args) == EVERYTHING
    if args.out is None and whole and is_settled(args.chdir, args.host, args.root):
        return _nothing_to_do(args, output)
    from pbxfleet.app.calls import with_calls
    from pbxfleet.app.live import look, open_live
    from pbxfleet.app.open_run import notice
    from pbxfleet.plan.guards import is_denied

    live = open_live(
        args.chdir,
        args.host,
        args.root,
        args.artefacts,
        host_only=args.host_only,
        this_host=args.this_host,
        selection=selection(args),
    )
    notice(live.state, output.complain)
    plan = with_calls(live, look(live, with_basis=args.out is not None).plan)
    if args.out is not None:
        from pbxfleet.app.planfile import store

        store(plan, args.out)
        output.say(f"plan stored in {args.out}")
    if output.json:
        from pbxfleet.report.plan_json import plan_data

        output.data(plan_data(plan))
    else:
        from pbxfleet.report.plan_text import plan_text

        output.text(plan_text(plan, output.paint()))
    if args.detailed_exitcode and is_denied(plan):
        return Exit.DENIED
    if args.detailed_exitcode and not plan.is_empty:
        return Exit.DIFFERENCES
    return Exit.DONE


def _nothing_to_do(args: Namespace, output: Output) -> int:
    """What an empty plan prints, without the cost of making one."""
    if output.json:
        from pbxfleet.host.disk import absolute
        from pbxfleet.plan.make import empty_plan
        from pbxfleet.report.plan_json import plan_data

        output.data(plan_data(empty_plan(args.host, absolute(args.root))))
    output.text(f"{args.host}: nothing to do\n")
    return Exit.DONE
