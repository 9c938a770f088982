"""`pbxfleet apply`."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pbxfleet.cli.output import Output
from pbxfleet.cli.scope import selection
from pbxfleet.cli.telling import Telling
from pbxfleet.core.errors import Refused, WrongUsage
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from pbxfleet.app.apply import Applied, Talk
    from pbxfleet.app.live import Live
    from pbxfleet.app.unfinished import Undone
    from pbxfleet.model.journal import Run
    from pbxfleet.model.maintenance import Drain
    from pbxfleet.model.plan import Plan, Step


NOT_CONFIRMED = "nobody confirmed it in time"


def run(args: Namespace, output: Output) -> int:
    """Apply a host's target, or a stored plan; the exit code tells how it ended."""
    from pbxfleet.app.planfile import is_plan_file, load

    if args.undo:
        return _undo(args, output)
    stored = load(args.what) if is_plan_file(args.what) else None
    with Telling(args, output, "apply", args.what if stored is None else stored.host) as telling:
        return _run(args, output, stored, telling)


def _run(args: Namespace, output: Output, stored: Plan | None, telling: Telling) -> int:
    from pbxfleet.app.confirm import undo_if_overdue
    from pbxfleet.app.open_run import notice
    from pbxfleet.host.lock import HostLock
    from pbxfleet.report.undone import taken_line

    live = telling.of(_open(args, stored))
    asker = Asker(args, output, approved=stored is not None)
    asker.refuse_without_terminal()
    with HostLock(live.machine, timeout_s=args.lock_timeout):
        # Looked at again: somebody else may just have finished.
        live = telling.of(_open(args, stored))
        undone = undo_if_overdue(
            live.machine, live.state, live.root, lambda taken: output.say(taken_line(taken))
        )
        if undone is None:
            applied = _applied(args, output, live, stored, asker)
    if undone is not None:
        return told_undone(undone, output, telling, NOT_CONFIRMED)
    telling.apply(applied, report(applied, output))
    if args.confirm is not None:
        notice(live.state, output.complain)
    return applied.exit_code


def _applied(
    args: Namespace, output: Output, live: Live, stored: Plan | None, asker: Asker
) -> Applied:
    from pbxfleet.app.apply import apply
    from pbxfleet.app.open_run import notice

    notice(live.state, output.complain)
    output.carry_on()
    try:
        return apply(
            live,
            stored,
            asker.approve,
            talk(output),
            resume=args.resume,
            confirm_s=args.confirm,
        )
    except KeyboardInterrupt:
        notice(live.state, output.complain)
        raise


def _undo(args: Namespace, output: Output) -> int:
    """Take back an unfinished run from its journal alone."""
    from pbxfleet.app.unfinished import undo
    from pbxfleet.host.disk import absolute
    from pbxfleet.host.who import operator
    from pbxfleet.report.undone import taken_line, undo_text

    asker = Asker(args, output, approved=False)
    asker.refuse_without_terminal()
    telling = Telling(args, output, "undo", args.what)
    telling.of_root(absolute(args.root))

    def approve(run: Run) -> bool:
        output.text(undo_text(run))
        return asker.approved or asker.asks(f"Type yes to undo this on {run.host}", "yes")

    output.carry_on()
    undone = undo(
        args.what,
        args.root,
        approve,
        lambda taken: output.say(taken_line(taken)),
        args.lock_timeout,
    )
    return told_undone(undone, output, telling, f"by {operator()}")


def told_undone(undone: Undone, output: Output, telling: Telling, why: str) -> int:
    """Say how an undo ended, and to whoever is told why; the exit code is never 0."""
    from pbxfleet.app.tidings import End
    from pbxfleet.report.undone import taken_line, undone_data, undone_text

    notes = [f"note: {line}" for line in undone.rescued]
    for line in notes:
        output.complain(line)
    text = undone_text(undone.run, undone.taken).rstrip("\n")
    output.complain(text)
    document = {**undone_data(undone.run, undone.taken), "outcome": undone.exit_code.word}
    output.data(document)
    code, whole = undone.exit_code, undone.exit_code is Exit.ROLLED_BACK
    text = "\n".join([*map(taken_line, undone.taken), *notes, text])
    telling.end(End(undone.run.host, "undo", code, why, text, whole), document)
    return code


def _open(args: Namespace, stored: Plan | None) -> Live:
    """The host, and the part of it that the stored plan or the command line names."""
    from pbxfleet.app.live import open_live
    from pbxfleet.model.plan import EVERYTHING

    chosen = selection(args)
    if stored is not None:
        if chosen not in (EVERYTHING, stored.selection):
            raise Refused(
                "the plan was made for another part of the host",
                hint="leave --target and --exclude out, or make a plan for that part",
            )
        chosen = stored.selection
    live = open_live(
        args.chdir,
        args.what if stored is None else stored.host,
        args.root if stored is None else _root_of(stored, args),
        args.artefacts,
        host_only=args.host_only,
        this_host=args.this_host,
        selection=chosen,
    )
    return live._replace(drain=_drain(args), outside_window=args.outside_window or "")


def _drain(args: Namespace) -> Drain:
    from pbxfleet.model.maintenance import Drain, OnDeadline

    if args.drain is None and args.on_deadline is not None:
        raise WrongUsage(
            "--on-deadline says what is done after the time of --drain, which is missing"
        )
    policy = None if args.on_deadline is None else OnDeadline(args.on_deadline)
    return Drain(args.drain, policy)


def _root_of(stored: Plan, args: Namespace) -> str:
    """The root that a plan file was made for; another one on the command line is a mistake."""
    from pbxfleet.host.disk import absolute

    if args.root != "/" and absolute(args.root) != stored.root:
        raise Refused(
            f"the plan was made for --root {stored.root}, not for {args.root}",
            hint="leave --root out, or make a plan for the other one",
        )
    return stored.root


class Asker:
    """Asks on a terminal; a plan file or --auto-approve is the answer already."""

    def __init__(self, args: Namespace, output: Output, *, approved: bool) -> None:
        self.approved = approved or args.auto_approve
        self.output = output

    def refuse_without_terminal(self) -> None:
        """Without a terminal and without approval nothing is even looked at."""
        if not self.approved and not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Refused(
                "apply asks before it changes anything, and there is no terminal to ask on",
                hint="use --auto-approve, or apply a plan file that was reviewed",
                code="PLN109",
            )

    def approve(self, plan: Plan) -> bool:
        """Show the plan and, if need be, ask. Removing instances takes their names, not a `yes`."""
        from pbxfleet.report.plan_text import plan_text

        self.output.text(plan_text(plan, self.output.paint()))
        if self.approved:
            return True
        removed = plan.removed_instances()
        wanted = " ".join(removed) if removed else "yes"
        question = f"Type the names of what is removed ({wanted})" if removed else "Type yes"
        return self.asks(f"{question} to apply this to {plan.host}", wanted)

    def asks(self, question: str, wanted: str) -> bool:
        """Whether a person types exactly what is wanted."""
        self.output.ask(f"{question}: ")
        return sys.stdin.readline().strip() == wanted


def progress(output: Output) -> Callable[[Step, str], None]:
    def progress(step: Step, moment: str) -> None:
        if moment == "start":
            output.say(f"  {step.number:>4}  {step.wave or 'host':<20} {step.do} {step.path}")
        elif moment != "done":
            output.complain(
                f"  {step.number:>4}  {step.wave or 'host':<20} {moment}: {step.do} {step.path}"
            )

    return progress


def talk(output: Output) -> Talk:
    """An apply told to the person who started it."""
    from pbxfleet.app.apply import Talk

    return Talk(progress(output), output.say, lambda line: output.complain(f"note: {line}"))


def report(applied: Applied, output: Output) -> dict[str, Any]:
    """Say how it ended; the document of that."""
    from pbxfleet.report.applied import applied_data, applied_text
    from pbxfleet.report.plan_json import plan_data

    text = applied_text(applied.plan, applied.report, applied.remaining)
    if applied.exit_code is Exit.DONE:
        output.text(text)
    else:
        output.complain(text.rstrip("\n"))
    document = {
        **applied_data(applied.plan, applied.report, applied.remaining),
        "outcome": applied.exit_code.word if applied.report else "nothing_to_do",
        "plan": plan_data(applied.plan),
    }
    output.data(document)
    return document
