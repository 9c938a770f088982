"""The ledger's file: canonical, one line for each thing, in an order that lets equal grants meet."""

from __future__ import annotations

from hypothesis import given

from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.resolve.ledger_text import ledger_text
from support.ledgers import ledgers


@given(ledgers())
def test_the_order_of_entries_does_not_show(ledger: Ledger) -> None:
    backwards = Ledger(
        dict(reversed(ledger.allocations.items())), {}, dict(reversed(ledger.tombstones.items()))
    )
    assert ledger_text(backwards) == ledger_text(ledger)


def test_the_file() -> None:
    ledger = Ledger(
        {
            "cedar": Allocation("fra1", ("203.0.113.9", "203.0.113.10", "2001:db8::1"), 10),
            "birch": Allocation("fra1", ("203.0.113.100",), 9, "50000-50999", 1, "8000-8009"),
            "ash": Allocation("ber1", ("192.0.2.1",)),
            "fir": Allocation("ber1", ("192.0.2.1",)),
        },
        {},
        {"acme": Allocation("fra1", ("2001:db8::2",), 2)},
    )
    text = ledger_text(ledger).decode()
    assert text.startswith("# What every instance holds")
    assert (
        text.partition("\n\n")[2]
        == """\
format = 2

[tombstones]
acme = "fra1"

[hosts.ber1.addresses]
"192.0.2.1" = ["ash", "fir"]

[hosts.fra1.addresses]
"203.0.113.9" = "cedar"
"203.0.113.10" = "cedar 2"
"203.0.113.100" = "birch"
"2001:db8::1" = "cedar"
"2001:db8::2" = "acme"

[hosts.fra1.cores]
2 = "acme"
9 = "birch"
10 = "cedar"

[hosts.fra1.numbers]
1 = "birch"

[hosts.fra1.ports]
8000-8009 = "birch"

[hosts.fra1.rtp]
50000-50999 = "birch"
"""
    )
