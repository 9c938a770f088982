"""The text of a rehearsal: verdict first, what is missing in words, many instances folded."""

from __future__ import annotations

import json

from pbxfleet.model.rehearsal import (
    Bereft,
    HostRehearsal,
    Lack,
    Refusal,
    Seat,
    Start,
    Stranded,
    Takeover,
)
from pbxfleet.report.paint import Paint
from pbxfleet.report.rehearsal import headline, lack_text, rehearsal_data, rehearsal_text

SEAT = Seat(("192.0.2.12", "2001:db8::12"), 4, "49152-50175", "70.5", (("http", "80 8080"),))
LOSING = HostRehearsal(
    host="fra1",
    instances=9,
    takeovers=(Takeover("acme", "acme-dr", "ber1", SEAT),),
    bereft=(Bereft("zeta-dr", "zeta", "ber1"),),
    starts=(Start("birch", "ber1", SEAT._replace(cpu=None), ("sip_udp 25060 -> 5060",), ()),),
    stranded=tuple(Stranded(f"i{n}", (Refusal("win1", "no"),)) for n in range(6)),
    lacks=(Lack("ber1", "free core", 2, 4), Lack("ber1", "free IPv4 address", 1, 0)),
    proven=True,
)
SAFE = HostRehearsal("ber1", 2, (), (), LOSING.starts, (), (), proven=True)


def test_details() -> None:
    assert (
        rehearsal_text([SAFE, LOSING], details=True)
        == """\
1 of 2 hosts cannot be lost without loss: fra1 (6 instances)
host  if it is lost  instances  taken over  start elsewhere  no place
ber1  all survive    2          -           1                -
    birch  starts on ber1  192.0.2.12, 2001:db8::12  no core  70.5  http:80,8080
      now differs: sip_udp 25060 -> 5060
fra1  6 LOST         9          1           1                6
    no place for i0, i1, i2, i3 and 2 more
    ber1 has only 4 free cores: 2 more are needed
    ber1 has no free IPv4 address: 1 more is needed
    win1 cannot take i0, i1, i2, i3 and 2 more: no
    acme     acme-dr on ber1 takes over              192.0.2.12, 2001:db8::12  core 4   70.5  http:80,8080
    zeta-dr  standby of zeta on ber1, which runs on
    birch    starts on ber1                          192.0.2.12, 2001:db8::12  no core  70.5  http:80,8080
      now differs: sip_udp 25060 -> 5060
note: addresses are the other host's own: DNS names of what starts elsewhere must follow
note: data come from a backup or a mirror; secrets must be in the other host's store
"""
    )


def test_without_details_a_host_takes_a_line() -> None:
    lines = rehearsal_text([SAFE] * 100, details=False).splitlines()
    assert len(lines) == 100 + 2 + 2
    assert lines[0] == "any of 100 hosts can be lost: everything runs elsewhere afterwards"


def test_headlines() -> None:
    assert headline([SAFE]) == "if ber1 is lost, everything runs elsewhere afterwards"
    assert headline([LOSING]) == "if fra1 is lost, 6 instances would have no place"
    assert headline([]) == "any of 0 hosts can be lost: everything runs elsewhere afterwards"
    many = [LOSING._replace(host=f"h{n}") for n in range(9)]
    assert headline(many) == (
        "9 of 9 hosts cannot be lost without loss: h0 (6 instances), h1 (6 instances), "
        "h2 (6 instances), h3 (6 instances) and 5 more"
    )


def test_what_is_missing_in_words() -> None:
    assert lack_text(Lack("a", "free block of 1024 RTP ports", 1, 2)) == (
        "a has only 2 free blocks of 1024 RTP ports: 1 more is needed"
    )
    assert lack_text(Lack("a", "free IPv6 address", 9, 1)) == (
        "a has only 1 free IPv6 address: 9 more are needed"
    )
    assert lack_text(Lack("a", "RTP range to take a block of", 1, 0)) == (
        "a has no RTP range to take a block of: 1 more is needed"
    )


def test_an_unproven_answer_says_so() -> None:
    text = rehearsal_text([LOSING._replace(proven=False)], details=False)
    assert "2 more are needed (at most: the search was ended)" in text
    assert "no place was found for i0, i1, i2, i3 and 2 more" in text


def test_colour_says_nothing_that_words_do_not() -> None:
    plain = rehearsal_text([SAFE, LOSING], details=True)
    painted = rehearsal_text([SAFE, LOSING], details=True, paint=Paint(colour=True))
    assert painted != plain
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m"):
        painted = painted.replace(code, "")
    assert painted == plain


def test_hostile_names_do_not_repaint_the_terminal() -> None:
    seat = SEAT._replace(ports=(("\x1b[2J", "80"),))
    starts = (Start("birch", "ber1", seat, ("\x1b[2J -> x",), ()),)
    text = rehearsal_text([SAFE._replace(starts=starts)], details=True)
    assert "\x1b" not in text


def test_json_has_everything() -> None:
    (host,) = json.loads(json.dumps(rehearsal_data([LOSING])))
    assert set(host) == {
        *("host", "survives", "proven", "instances", "taken_over", "standby_lost", "starts"),
        *("no_place", "missing"),
    }
    assert host["starts"] == [
        {
            "instance": "birch",
            "host": "ber1",
            "addresses": ["192.0.2.12", "2001:db8::12"],
            "cpu": None,
            "rtp": "49152-50175",
            "release": "70.5",
            "ports": {"http": "80 8080"},
            "changes": ["sip_udp 25060 -> 5060"],
        }
    ]
    assert host["no_place"][0] == {
        "instance": "i0",
        "refused": [{"host": "win1", "why": "no"}],
    }
