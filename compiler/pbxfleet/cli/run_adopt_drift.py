"""`pbxfleet drift HOST --adopt`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit

MESSAGE = "Declare what {host} has now"


def run(args: Namespace, output: Output) -> int:
    """Propose edits of desired/ as a patch or a branch; exit 2 where drift is left that none can say."""
    from pbxfleet.app.adopt_drift import adopt_drift
    from pbxfleet.app.live import open_live
    from pbxfleet.app.open_run import notice
    from pbxfleet.cli.run_validate import diagnostics_data, show
    from pbxfleet.host.disk import absolute
    from pbxfleet.model.adopting import AdoptLayer
    from pbxfleet.report.adopting import adoptions_data, adoptions_text, summary_text

    live = open_live(args.chdir, args.host, args.root)
    notice(live.state, output.complain)
    found = adopt_drift(live, args.chdir, None if args.layer is None else AdoptLayer(args.layer))
    if found.fleet.resolved is None:
        failed = show(found.fleet, output, advice=False)
        output.data(diagnostics_data(found.fleet, failed=failed))
        return Exit.REFUSED
    branch = None
    if args.branch is not None and found.files:
        from pbxfleet.vcs.branches import make_branch

        message = MESSAGE.format(host=args.host)
        names = (args.branch, found.before, found.files)
        branch = (args.branch, make_branch(absolute(args.chdir), *names, message))
    elif args.patch is not None and found.files:
        from pbxfleet.host.disk import write_file

        write_file(absolute(args.patch), found.patch.encode(), 0o644)
    else:
        output.text(found.patch)
    if text := adoptions_text(found.adoptions, found.left_out):
        output.say(text)
    output.say(summary_text(found.adoptions, found.left_out))
    if branch is not None:
        output.say(
            f"branch {branch[0]} has the edits of desired/ alone, and rendered/ as it was: "
            "check it out, and run pbxfleet compile there"
        )
    output.data(adoptions_data(args.host, found.adoptions, found.left_out, found.patch, branch))
    return Exit.DIFFERENCES if found.left_out else Exit.DONE
