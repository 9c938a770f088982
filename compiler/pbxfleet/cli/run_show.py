"""`pbxfleet show`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print a stored plan, however old it is: only apply refuses stale ones."""
    from pbxfleet.app.planfile import load
    from pbxfleet.report.plan_json import plan_data
    from pbxfleet.report.plan_text import plan_text

    plan = load(args.plan)
    output.text(plan_text(plan, output.paint()))
    output.data(plan_data(plan))
    return Exit.DONE
