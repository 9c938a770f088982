"""Checks of one host and checks between hosts: together they are all, and records are enough."""

from __future__ import annotations

import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.diagnostics import in_order
from pbxfleet.model.resolved import Resolved
from pbxfleet.resolve import resolve
from pbxfleet.resolve.checks import check, check_fleet, check_host, summarise
from support.wishes import NO_LEDGER, fleet, host, instance, reference

SAYS = st.fixed_dictionaries(
    {"host": st.sampled_from(["fra1", "fra2"])},
    optional={
        "cpu": st.sampled_from([1, "auto"]),
        "listen": st.sampled_from([{"http": 8080}, {"http": "0.0.0.0:80"}]),
        "tenants": st.sampled_from([["acme.example"], ["Acme.example", "other.example"]]),
        "settings": st.sampled_from([{"sys_name": "Acme"}, {"sys_name": "Other"}]),
        "failover": st.sampled_from(
            [{"role": "primary", "peer": "i1"}, {"role": "secondary", "peer": "i0"}]
        ),
    },
)
FLEETS = st.lists(SAYS, max_size=5)


def resolved(wishes: list[dict[str, Any]]) -> Resolved:
    other = host("fra2", addresses=["203.0.113.130-203.0.113.139"])
    instances = (instance(f"i{n}", **says) for n, says in enumerate(wishes))
    return resolve(fleet(host("fra1"), other, *instances), reference(), NO_LEDGER).sound


@given(FLEETS)
def test_host_checks_and_fleet_checks_are_all_checks(wishes: list[dict[str, Any]]) -> None:
    whole = resolved(wishes)
    apart = [d for one in whole.hosts for d in check_host(one)]
    apart += check_fleet([summarise(one) for one in whole.hosts])
    assert check(whole) == in_order(apart)


@given(FLEETS)
def test_a_summary_survives_being_kept(wishes: list[dict[str, Any]]) -> None:
    summaries = [summarise(one) for one in resolved(wishes).hosts]
    kept = pickle.loads(pickle.dumps(summaries))  # noqa: S301  # our own bytes
    assert kept == summaries
    assert check_fleet(kept) == check_fleet(summaries)


@given(FLEETS)
def test_a_host_is_judged_without_the_others(wishes: list[dict[str, Any]]) -> None:
    """Instances of another host change neither the diagnostics nor the summary of this one."""
    alone = [says for says in wishes if says["host"] == "fra1" and "failover" not in says]
    both = alone + [says for says in wishes if says["host"] == "fra2" and "failover" not in says]
    first, second = resolved(alone).hosts[0], resolved(both).hosts[0]
    assert check_host(first) == check_host(second)
    assert summarise(first) == summarise(second)


def test_a_summary_is_small() -> None:
    """Some hundred bytes an instance, whatever its settings and listeners are."""
    many = [{"host": "fra1", "settings": {f"x{n}": "y" * 100 for n in range(50)}}] * 16
    (one, _) = (pickle.dumps(summarise(h)) for h in resolved(many).hosts)
    assert len(one) < 16 * 600
