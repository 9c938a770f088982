"""Ledgers of every shape that compile writes."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import strategies as st

from pbxfleet.model.resolved import Allocation, Ledger

NAMES = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,8}", fullmatch=True)
HOSTS = ("fra1", "ber-2", "7")


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """No thing is held twice; some instances are gone."""
    names = draw(st.lists(NAMES, max_size=6, unique=True))
    order = draw(st.permutations(range(12)))
    held: dict[str, Allocation] = {}
    for number, name in enumerate(sorted(names)):
        one, other = order[2 * number], order[2 * number + 1]
        families = draw(st.sampled_from(["", "4", "44", "6", "46", "446"]))
        texts = [
            f"203.0.113.{9 + one}",
            f"203.0.113.{99 + other}",
            str(ip_address(0x2001 << 112 | one + 1)),
        ]
        chosen = {"": [], "4": texts[:1], "44": texts[1::-1], "6": texts[2:],
                  "46": [texts[0], texts[2]], "446": texts}[families]  # fmt: skip
        allocation = Allocation(
            draw(st.sampled_from(HOSTS)),
            tuple(chosen),
            draw(st.sampled_from([None, one])),
            draw(st.sampled_from([None, f"{50000 + 100 * one}-{50099 + 100 * one}"])),
            draw(st.sampled_from([None, other])),
            draw(st.sampled_from([None, f"{8000 + 10 * one}-{8009 + 10 * one}"])),
        )
        if allocation.things:
            held[name] = allocation
    gone = [name for name in held if draw(st.booleans())]
    live = {name: one for name, one in held.items() if name not in gone}
    return Ledger(live, {}, {name: held[name] for name in gone})
