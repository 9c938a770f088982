"""The allocation desk of one host: who asks, what the ledger remembers, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import HostFile, InstanceFile, Layer
from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.resolve.problems import Problems

LEDGER_FILE = "desired/ledger.toml"


@dataclass(frozen=True, slots=True)
class Asking:
    """What one instance asks of its host; `layer` is joined from all layers."""

    file: InstanceFile
    host: HostFile
    layer: Layer
    needs_number: bool

    @property
    def name(self) -> str:
        """Name of the instance."""
        return self.file.name


@dataclass(frozen=True, slots=True)
class Desk:
    """Allocations of one host: reads the ledger, reports what cannot be kept or handed out."""

    host: HostFile
    ledger: Ledger
    problems: Problems

    def remembered(self, asking: Asking) -> Allocation | None:
        """The ledger's entry of the instance, if it was made for this host."""
        entry = self.ledger.allocations.get(asking.name)
        return entry if entry is not None and entry.host == self.host.name else None

    def is_elsewhere(self, asking: Asking) -> bool:
        """Whether the ledger remembers the instance on another host."""
        entry = self.ledger.allocations.get(asking.name)
        return entry is not None and entry.host != self.host.name

    def moved(self, asking: Asking) -> None:
        """Report ALC103: the instance is on another host now, and its allocations are not."""
        name, before = asking.name, self.ledger.allocations[asking.name].host
        self.problems.add(
            Diagnostic(
                "ALC103",
                f"the ledger remembers allocations of {name} on {before}, not on {self.host.name}",
                asking.file.host.origin,
                related=self._here(name),
                hint=f"if {name} really moves, remove the table {name} from {LEDGER_FILE}: "
                f"{self.host.name} then hands out its own values; else put host back to {before}",
            ),
            name,
        )

    def stale(self, asking: Asking, wish: Span, value: str, why: str) -> None:
        """Report ALC102: a remembered value is no longer the host's to give."""
        name = asking.name
        self.problems.add(
            Diagnostic(
                "ALC102",
                f"the ledger gives {name} {value}, which {why}",
                wish,
                related=self._here(name),
                hint=f"give it back to {self.host.name} in {self.host.span.file}; or remove it "
                f"from the table {name} in {LEDGER_FILE} to have another one allocated",
            ),
            name,
        )

    def twice(self, asking: Asking, wish: Span, value: str, first: str) -> None:
        """Report ALC104: two entries of the ledger hold the same, as after a merge of branches."""
        name = asking.name
        self.problems.add(
            Diagnostic(
                "ALC104",
                f"the ledger gives {value} to both {first} and {name}",
                wish,
                related=(*self._here(first), *self._here(name)),
                hint=f"remove it from the table of the one that is not yet in service in "
                f"{LEDGER_FILE}; the next compile hands out another one",
            ),
            name,
        )

    def nothing_left(self, asking: Asking, wish: Span, what: str, hint: str) -> None:
        """Report ALC101: the host has none of `what` left."""
        diagnostic = Diagnostic("ALC101", f"{self.host.name} has no {what} left", wish, hint=hint)
        self.problems.share(diagnostic, asking.name, asking.file.span)

    def _here(self, name: str) -> tuple[tuple[Span, str], ...]:
        span = self.ledger.spans.get(name)
        return () if span is None else ((span, f"remembered for {name} here"),)
