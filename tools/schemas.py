"""Write schemas/ (make schemas); with --check exit 1 if a file is out of date."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pbxfleet.app.schemas import schemas

FOLDER = Path(__file__).resolve().parent.parent / "schemas"


def main() -> int:
    """Write the schemas, or say which are out of date."""
    stale = []
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        path = FOLDER / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                FOLDER.mkdir(exist_ok=True)
                path.write_text(text)
    if stale:
        print("schemas:", ", ".join(stale))
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
