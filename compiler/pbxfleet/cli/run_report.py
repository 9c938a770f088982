"""`pbxfleet report`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.cli.run_validate import diagnostics_data, show
from pbxfleet.core.errors import Refused
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Write the report page, or print it; the problems of the fleet alone if it has errors."""
    from pbxfleet.app.report import fleet_picture, store, style
    from pbxfleet.app.report_looks import Told
    from pbxfleet.report.page import page
    from pbxfleet.report.page_attention import attention

    if args.out is None and not output.json and output.stdout.isatty():
        raise Refused("a terminal cannot show the page", hint="--out FILE writes it into a file")
    told = Told(tuple(args.plan), tuple(args.drift), args.root)
    fleet, picture = fleet_picture(args.chdir, args.hosts, told)
    failed = picture is None
    if failed:
        show(fleet, output, advice=False)
    exit_code = Exit.REFUSED if failed else Exit.DONE
    data = {**diagnostics_data(fleet, failed=failed), "hosts": [], "attention": [], "written": None}
    if picture is not None:
        content = page(picture, style())
        data["hosts"] = [host.map.host for host in picture.hosts]
        data["attention"] = [
            {"urgency": one.urgency, "text": one.text, "hint": one.hint}
            for one in attention(picture)
        ]
        if args.out is None:
            output.text(content.decode())
        else:
            data["written"] = args.out
            store(content, args.out)
            output.say(f"wrote {args.out}")
    output.data(data)
    return exit_code
