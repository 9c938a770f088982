"""The three-way table of the design, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.plan import Status
from pbxfleet.plan.threeway import joined, status_of

TABLE = [
    # target, observed, applied, known, result
    ("a", "a", "a", True, None),
    ("a", "a", "b", True, None),
    ("a", "a", None, False, None),
    ("b", "a", "a", True, Status.PENDING),
    ("a", None, None, False, Status.PENDING),
    (None, "a", "a", True, Status.PENDING),
    ("a", "b", "a", True, Status.DRIFT),
    ("a", None, "a", True, Status.DRIFT),
    ("a", "b", None, False, Status.ADOPT),
    ("c", "b", "a", True, Status.CONFLICT),
    (None, "b", "a", True, Status.CONFLICT),
]


@pytest.mark.parametrize(("target", "observed", "applied", "known", "result"), TABLE)
def test_each_row_of_the_table(
    target: str | None, observed: str | None, applied: str | None, known: bool, result: Status
) -> None:
    assert status_of(target, observed, applied, known=known) is result


values = st.sampled_from([None, "a", "b", "c"])


@given(values, values, values, st.booleans())
def test_in_sync_exactly_when_target_is_observed(
    target: str | None, observed: str | None, applied: str | None, known: bool
) -> None:
    assert (status_of(target, observed, applied, known=known) is None) == (target == observed)


def test_a_resource_shows_the_most_serious_of_its_fields() -> None:
    assert joined([Status.PENDING, Status.DRIFT]) is Status.DRIFT
    assert joined([Status.DRIFT, Status.CONFLICT, Status.ADOPT]) is Status.CONFLICT
    assert joined([Status.PENDING, Status.PENDING]) is Status.PENDING
