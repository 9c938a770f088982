"""Which values of a setting mean the same, and that no unexplained difference ever does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.target import SEEDED, Field, Impact
from pbxfleet.model.verdict import Verdict
from pbxfleet.pbx.meaning import judged, means_the_same, must_change, without_spelling


def field(name: str, value: str | None, label: str = "") -> Field:
    label = label or f"settings.{name}"
    return Field(name, value, None, "owned", Impact.RESTART, label, "f:1:1", ())


BIND, FREE, ANY = "ip_http_port", "sys_name", "some_setting"
SAME = [
    (BIND, "80", "0.0.0.0:80 [::]:80"),
    (BIND, "80", "[::]:80 0.0.0.0:80"),
    (BIND, "80", "80 80"),
    (BIND, "192.0.2.1:80 [2001:db8::1]:80", "[2001:DB8:0::1]:80  192.0.2.1:80"),
    (BIND, "", " "),
    ("log_event_sip", "5", "05"),
    ("log_length", "200", "0200"),
    ("log_sip_other", "true", "TRUE"),
    (ANY, "true", "True"),
    (ANY, "false", " False\n"),
    (ANY, "word", "  word "),
    (FREE, "ACME", "ACME "),
]
OTHER = [
    (BIND, "80", "0.0.0.0:80"),  # IPv4 alone
    (BIND, "80", "[::]:80"),
    (BIND, "80", "8080"),
    (BIND, "192.0.2.1:80", "80"),
    (BIND, "192.0.2.1:80", "192.0.2.1:80 192.0.2.2:80"),
    (BIND, "192.0.2.1:80", "::192.0.2.1:80"),
    (BIND, "192.0.2.1:80", ""),
    (BIND, "80", "080"),  # no bind at all in the documented grammar
    ("log_length", "200", "2000"),
    ("log_length", "200", "200.0"),
    ("log_length", "5", "\u0665"),
    ("log_sip_other", "true", "1"),
    ("log_sip_other", "true", "yes"),
    ("log_sip_other", "true", "false"),
    (ANY, "0100", "100"),  # a number to call, for all we know
    (ANY, "a b", "b a"),
    (ANY, "192.0.2.1:80 192.0.2.2:80", "192.0.2.2:80 192.0.2.1:80"),  # an order, for all we know
    (ANY, "Word", "word"),
    (ANY, "a  b", "a b"),
    (FREE, "true", "True"),
    (FREE, "007", "7"),
    (ANY, "", "0"),
]


@pytest.mark.parametrize(("name", "declared", "observed"), SAME)
def test_another_spelling_of_the_same(name: str, declared: str, observed: str) -> None:
    assert judged(field(name, declared), observed) is Verdict.NORMALISED
    assert means_the_same(field(name, observed), declared), "either way round"
    assert not must_change(field(name, declared), observed, opaque=False, known=True)


@pytest.mark.parametrize(("name", "declared", "observed"), OTHER)
def test_another_value(name: str, declared: str, observed: str) -> None:
    assert judged(field(name, declared), observed) is Verdict.REJECTED
    assert must_change(field(name, declared), observed, opaque=False, known=False)


def test_a_mapped_listener_is_known_by_what_it_was_made_from() -> None:
    mapped = field("operators_name_for_sip", "192.0.2.1:5060 192.0.2.2:5060", "listen.sip_udp")
    assert judged(mapped, "192.0.2.2:5060 192.0.2.1:5060") is Verdict.NORMALISED
    assert judged(field("start", "49152", "rtp"), "049152") is Verdict.NORMALISED


def test_what_is_missing_never_means_the_same() -> None:
    assert judged(field(ANY, ""), None) is Verdict.REJECTED
    assert judged(field(ANY, None), "") is Verdict.REJECTED
    assert judged(field(ANY, None), None) is Verdict.ACCEPTED


def test_secrets_and_encrypted_elements_are_not_compared() -> None:
    secret = field("pw_pass", None)._replace(secret="acme/admin")
    assert not must_change(secret, "whatever", opaque=False, known=True)
    assert not must_change(field(ANY, "a"), None, opaque=True, known=True)
    seeded = field(ANY, "a")._replace(ownership=SEEDED)
    assert not must_change(seeded, None, opaque=False, known=True)


TEXT = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=6)


@given(TEXT, TEXT)
def test_of_a_setting_that_nobody_knows_only_white_space_and_truth_are_understood(
    declared: str, observed: str
) -> None:
    same = judged(field(ANY, declared), observed) is not Verdict.REJECTED
    truth = declared.lower() in ("true", "false") and declared.lower() == observed.lower()
    assert same == (declared == observed or truth)


PORTS = st.integers(1, 65535).map(str)
PLACES = st.sampled_from(["", "0.0.0.0:", "[::]:", "192.0.2.1:", "[2001:db8::1]:"])
LISTS = st.lists(st.builds(lambda place, port: place + port, PLACES, PORTS), max_size=4)


@given(LISTS, LISTS)
def test_binds_mean_the_same_exactly_when_they_open_the_same(
    one: list[str], other: list[str]
) -> None:
    def opened(binds: list[str]) -> set[str]:
        wild = {w + b for b in binds if ":" not in b for w in ("0.0.0.0:", "[::]:")}
        return wild | {b for b in binds if ":" in b}

    same = means_the_same(field(BIND, " ".join(one)), " ".join(other))
    assert same == (opened(one) == opened(other))
    assert means_the_same(field(BIND, " ".join(one)), " ".join(reversed(one)))


@pytest.mark.parametrize(("name", "declared", "observed"), SAME)
def test_any_spelling_of_ours_is_known_as_ours(name: str, declared: str, observed: str) -> None:
    assert without_spelling(declared) == without_spelling(observed)


@pytest.mark.parametrize(
    ("one", "other"), [("80", "0.0.0.0:80"), ("a", "A"), ("", "0"), ("true", "1"), ("a b", "b a")]
)
def test_another_value_is_never_taken_for_ours(one: str, other: str) -> None:
    assert without_spelling(one) != without_spelling(other)
