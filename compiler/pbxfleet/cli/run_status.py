"""`pbxfleet status`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print declared and proven side by side."""
    from pbxfleet.app.accepted import not_literal
    from pbxfleet.app.live import look, open_live
    from pbxfleet.app.open_run import open_run
    from pbxfleet.app.probing import probe_all, probe_notes
    from pbxfleet.report.open_run import open_run_data
    from pbxfleet.report.plan_json import debts_data
    from pbxfleet.report.status import made_data, probed_data, status_rows, status_text

    live = open_live(args.chdir, args.host, args.root)
    run = open_run(live.state)
    looked = look(live)
    probed = probe_all(live, looked.observed)
    rows = status_rows(
        live.target, looked.observed, looked.difference.changes, probed, looked.debts
    )
    notes = (*looked.difference.notes, *probe_notes(probed))
    saved = live.state.saved()
    made = not_literal(live, looked)
    output.text(status_text(live.target.host, rows, notes, made, run, saved, output.paint()))
    output.data(
        {
            "format": 1,
            "kind": "status",
            "outcome": Exit.DONE.word,
            "host": live.target.host,
            "open_run": None if run is None else open_run_data(run),
            "instances": [row._asdict() for row in rows],
            "saved": [{"path": path, "kept": kept} for path, kept in saved],
            "settings": [made_data(*one) for one in made],
            "notes": [note._asdict() for note in notes],
            "probes": [probed_data(probe) for probe in probed],
            "debts": debts_data(looked.debts),
        }
    )
    return Exit.DONE
