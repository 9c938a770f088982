"""What commands print that compute something of each host from desired/ alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbxfleet.cli.run_validate import diagnostics_data, show
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from pbxfleet.app.fleet import Fleet
    from pbxfleet.cli.output import Output

    Host = TypeVar("Host")


def print_hosts(
    output: Output,
    computed: tuple[Fleet, Sequence[Host]],
    text: Callable[[Sequence[Host]], str],
    data: Callable[[Sequence[Host]], Any],
) -> int:
    """Print what was computed of hosts; the problems of the fleet alone if it has errors."""
    fleet, hosts = computed
    failed = fleet.resolved is None
    exit_code = Exit.REFUSED if failed else Exit.DONE
    if failed:
        show(fleet, output, advice=False)
    else:
        output.text(text(hosts))
    output.data({**diagnostics_data(fleet, failed=failed), "hosts": data(hosts)})
    return exit_code
