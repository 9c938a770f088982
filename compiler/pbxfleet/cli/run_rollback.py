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
    from pbxfleet.app.confirm import undo_if_overdue
    from pbxfleet.app.live import look
    from pbxfleet.app.open_run import notice
    from pbxfleet.app.rollback import open_rollback
    from pbxfleet.app.unfinished import finish_what_is_over
    from pbxfleet.cli.run_apply import NOT_CONFIRMED, Asker, report, talk, told_undone
    from pbxfleet.host.lock import HostLock
    from pbxfleet.report.plan_json import plan_data
    from pbxfleet.report.plan_text import plan_text
    from pbxfleet.report.undone import taken_line

    def opened() -> Rollback:
        return open_rollback(args.host, args.root, args.generation, this_host=args.this_host)

    def line(way: Rollback) -> str:
        return f"{args.host}: from generation {way.current.number} back to {way.to.number}"

    way = opened()
    notice(way.live.state, output.complain)
    output.say(line(way))
    if args.plan:
        plan = look(way.live).plan
        output.text(plan_text(plan, output.paint()))
        output.data(plan_data(plan))
        return Exit.DONE
    asker = Asker(args, output, approved=False)
    asker.refuse_without_terminal()
    with HostLock(way.live.machine, timeout_s=args.lock_timeout):
        live, told = telling.of(way.live, way.sinks), way.current.number
        undone = undo_if_overdue(
            live.machine, live.state, live.root, lambda taken: output.say(taken_line(taken))
        )
        if undone is None:
            # Looked at again: somebody else may just have finished, or a run was left without its
            # generation.
            finish_what_is_over(live.state)
            way = opened()
            if way.current.number != told:
                output.say(line(way))
            live = telling.of(way.live, way.sinks)
            applied = apply(
                live,
                None,
                asker.approve,
                talk(output),
                back=Back(way.to.stands_for, lambda: opened().live._replace(sinks=live.sinks)),
                confirm_s=args.confirm,
            )
    if undone is not None:
        return told_undone(undone, output, telling, NOT_CONFIRMED)
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
