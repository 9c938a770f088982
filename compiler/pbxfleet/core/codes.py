"""Registry of what may be said about codes: which errors a fleet may accept for a while."""

from __future__ import annotations

from collections.abc import Mapping

# By code: why accepting it is not accepting an outage. Every other error guards one, so that neither
# [[suppress]] nor [severity] of a fleet makes it go away. Warnings and advice can always be accepted.
SUPPRESSIBLE_ERRORS: Mapping[str, str] = {
    "LIC101": "whether one key may be in two instances is between the operator and the vendor",
}
