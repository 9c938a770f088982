"""`pbxfleet schema`."""

from __future__ import annotations

from argparse import Namespace

from pbxfleet.cli.output import Output
from pbxfleet.core.exits import Exit


def run(args: Namespace, output: Output) -> int:
    """Print the JSON Schemas as one document by file name, or write them into a folder."""
    import json

    from pbxfleet.app.schemas import all_schemas, write_schemas

    if args.write:
        written = write_schemas(args.write)
        for path in written:
            output.text(f"wrote {path}\n")
        output.data({"format": 1, "outcome": "done", "written": list(written)})
        return Exit.DONE
    found = all_schemas()
    output.text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    output.data({"format": 1, "outcome": "done", "schemas": found})
    return Exit.DONE
