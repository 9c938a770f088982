"""Write schemas/ (make schemas); with --check exit 1 if a file is out of date."""

from __future__ import annotations

import sys
from pathlib import Path

from pbxfleet.app.schemas import schema_files, write_schemas

FOLDER = Path(__file__).resolve().parent.parent / "schemas"


def main() -> int:
    """Write the schemas, or say which are out of date."""
    if "--check" not in sys.argv[1:]:
        print("schemas:", ", ".join(write_schemas(str(FOLDER))) or "up to date")
        return 0
    there = {path.name: path.read_bytes() for path in FOLDER.glob("*.json")}
    stale = [name for name, content in schema_files().items() if there.get(name) != content]
    if stale:
        print("out of date:", ", ".join(stale))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
