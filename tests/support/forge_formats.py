"""What forges take: the published schema of SARIF, and closed ones in our words.

In ours a key that is not there is not taken for granted. SARIF: OASIS, "Static Analysis Results
Interchange Format (SARIF) Version 2.1.0", the sections named below, with the keys that we write.
GitHub: "SARIF support for code scanning" (a result needs a place; 25,000 results in a run). GitLab:
"Code Quality", section "Code Quality report format", and what its own reader of reports demands.
"""

from __future__ import annotations

import json
from typing import Any

from support.tree import ROOT

Schema = dict[str, Any]
GITHUB_MOST_RESULTS = 25_000
_FILE = ROOT / "tests" / "support" / "published" / "sarif-2.1.0-rtm.5.json"
PUBLISHED_SARIF: Schema = json.loads(_FILE.read_text(encoding="utf-8"))


def table(required: Schema, **optional: Schema) -> Schema:
    """An object with these keys and no other."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


TEXT: Schema = {"type": "string", "minLength": 1}
FROM_ONE: Schema = {"type": "integer", "minimum": 1}
MESSAGE = table({"text": TEXT})  # 3.11
REGION = table(  # 3.30: lines and columns count from 1
    {"startLine": FROM_ONE, "startColumn": FROM_ONE, "endLine": FROM_ONE, "endColumn": FROM_ONE}
)
ARTIFACT = table(  # 3.4: a relative reference (RFC 3986), so neither blanks nor a leading slash
    {"uri": {"type": "string", "pattern": "^[A-Za-z0-9._~%-][A-Za-z0-9._~%/-]*$"}}
)
PLACE = table({"artifactLocation": ARTIFACT, "region": REGION})  # 3.29
RULE = table({"id": TEXT, "shortDescription": MESSAGE, "help": MESSAGE})  # 3.49
SUPPRESSION = table(  # 3.35
    {"kind": {"enum": ["inSource", "external"]}},
    status={"enum": ["accepted", "underReview", "rejected"]},
    justification=TEXT,
    location=table({"physicalLocation": PLACE}),
)
RESULT = table(  # 3.27
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["error", "warning", "note"]},
        "message": MESSAGE,
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
        "locations": {
            "type": "array",
            "minItems": 1,
            "items": table({"physicalLocation": PLACE}),
        },
    },
    relatedLocations={
        "type": "array",
        "items": table({"id": FROM_ONE, "message": MESSAGE, "physicalLocation": PLACE}),
        "uniqueItems": True,
    },
    suppressions={"type": "array", "items": SUPPRESSION},
)
SARIF = table(  # 3.13
    {
        "$schema": TEXT,
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "maxItems": 1,
            "items": table(  # 3.14
                {
                    "tool": table(  # 3.18, 3.19
                        {
                            "driver": table(
                                {
                                    "name": TEXT,
                                    "version": TEXT,
                                    "rules": {"type": "array", "items": RULE, "uniqueItems": True},
                                }
                            )
                        }
                    ),
                    "columnKind": {"enum": ["unicodeCodePoints", "utf16CodeUnits"]},
                    "results": {"type": "array", "items": RESULT, "maxItems": GITHUB_MOST_RESULTS},
                }
            ),
        },
    }
)
_DOCUMENTED: Schema = {
    "type": "array",
    "items": table(
        {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": TEXT,
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": table(
                {
                    # Relative to the repository, and not with "./" before it.
                    "path": {"type": "string", "pattern": "^[^./]"},
                    "lines": table({"begin": FROM_ONE}, end=FROM_ONE),
                }
            ),
        }
    ),
}
# Each element, as GitLab's reader of reports checks it: app/validators/json_schemas/codeclimate.json
# in its public source (f986ce9ffa56). It takes other keys too, and places by `positions`.
_READ: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "fingerprint", "severity", "location"],
        "properties": {
            **{key: {"type": "string"} for key in ("description", "fingerprint", "severity")},
            "location": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "lines": {"type": "object", "properties": {"begin": {"type": "integer"}}},
                },
            },
        },
    },
}
GITLAB: Schema = {"allOf": [_DOCUMENTED, _READ]}
