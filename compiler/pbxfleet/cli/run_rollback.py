"""`pbxfleet rollback`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from pbxfleet.cli.output import Output
from pbxfleet.cli.telling import Telling
from pbxfleet.core.errors import Refused
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from pbxfleet.app.apply import Applied
    from pbxfleet.app.rollback import Rollback
    from pbxfleet.app.tidings import End

NOTHING = "PLN172"


def run(args: Namespace, output: Output) -> int:
    """Apply the target of an earlier generation; never exits 0 unless it only shows the plan."""
    with Telling(args, output, "rollback", args.host) as telling:
        return _run(args, output, telling)


def _run(args: Namespace, output: Output, telling: Telling) -> int:
    from pbxfleet.app.apply import Back, apply
    from pbxfleet.app.live import look
    from pbxfleet.app.open_run import notice
    from pbxfleet.app.rollback import open_rollback
    from pbxfleet.cli.run_apply import Asker, report, talk
    from pbxfleet.host.lock import HostLock
    from pbxfleet.report.plan_json import plan_data
    from pbxfleet.report.plan_text import plan_text

    def opened() -> Rollback:
        return open_rollback(args.host, args.root, args.generation, this_host=args.this_host)

    way = opened()
    notice(way.live.state, output.complain)
    output.say(f"{args.host}: from generation {way.current.number} back to {way.to.number}")
    if args.plan:
        plan = look(way.live).plan
        output.text(plan_text(plan, output.paint()))
        output.data(plan_data(plan))
        return Exit.DONE
    asker = Asker(args, output, approved=False)
    asker.refuse_without_terminal()
    with HostLock(way.live.machine, timeout_s=args.lock_timeout):
        # Looked at again: somebody else may just have finished.
        way = opened()
        live = telling.of(way.live, way.sinks)
        applied = apply(
            live,
            None,
            asker.approve,
            talk(output),
            back=Back(way.to.stands_for, lambda: opened().live._replace(sinks=live.sinks)),
            confirm_s=args.confirm,
        )
    if applied.report is None or not applied.plan.steps:
        raise Refused(
            f"{args.host} is as generation {way.to.number} was: there is nothing to roll back",
            hint=f"pbxfleet history {args.host} lists the generations",
            code=NOTHING,
        )
    if applied.exit_code is Exit.DONE:
        applied = applied._replace(exit_code=Exit.ROLLED_BACK)
    end = rolled_back(applied, way.to.number)
    telling.end(end, report(applied, output))
    if args.confirm is not None:
        notice(way.live.state, output.complain)
    return applied.exit_code


def rolled_back(applied: Applied, to: int) -> End:
    """What is told of a rollback to generation `to`."""
    from pbxfleet.app.tidings import End
    from pbxfleet.host.who import operator
    from pbxfleet.report.applied import applied_text

    text = applied_text(applied.plan, applied.report, applied.remaining).rstrip("\n")
    failed = applied.report is None or bool(applied.report.failure)
    why = f"to generation {to}, by {operator()}"
    return End(applied.plan.host, "rollback", applied.exit_code, why, text, succeeded=not failed)
