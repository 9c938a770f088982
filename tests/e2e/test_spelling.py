"""What the PBX spells in its own way, or does not take: told once, shown in the status, nobody's change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pbxfleet.schema.outputs import document_of
from support.output_schemas import judge
from support.running_site import RunningSite

Make = Callable[..., RunningSite]


def settings(site: RunningSite) -> Any:
    """What the status says the PBX made of settings."""
    done = site.ok("status", "--json")
    judge(document_of("status"), done.data)
    return done.data["settings"]


def test_a_spelling_is_told_once_and_is_no_conflict_with_the_next_value(running: Make) -> None:
    site = running("ash").up()
    site.behave("ash", rewrite="start", spell="truth zeros spaces")
    site.change("ash", log_sip_other="true", log_length=500, sys_name="Spelled")
    done = site.apply()
    assert "PLN126" in done.err + done.out
    made = {(s["name"], s["verdict"], s["declared"], s["observed"]) for s in settings(site)}
    assert made >= {
        ("log_sip_other", "normalised", "true", "True"),
        ("log_length", "normalised", "500", "0500"),
        ("sys_name", "normalised", "Spelled", " Spelled "),
    }
    assert "normalised ash log_length: is 0500, declared 500" in site.ok("status").out
    site.settles()
    site.kill("ash")
    again = site.apply()
    assert "PLN126" not in again.err + again.out, "it was told, and is known since"
    site.change("ash", log_sip_other="false", log_length=500, sys_name="Spelled")
    changes = {(f["name"], f["status"]) for c in site.plan()["changes"] for f in c["fields"]}
    assert ("log_sip_other", "pending") in changes and "conflict" not in str(changes)
    assert site.run("drift").code == 0


def test_a_rollback_puts_back_what_it_spells_in_its_own_way(running: Make) -> None:
    site = running("ash").up()
    site.behave("ash", rewrite="start", spell="truth")
    site.change("ash", log_sip_other="true")
    site.apply("--quiet")
    assert "<log_sip_other>True<" in site.pbx_xml("ash")
    done = site.run("rollback", "--auto-approve")
    assert done.code == 6 and "PLN171" not in done.err + done.out
    assert "<log_sip_other>True<" not in site.pbx_xml("ash")


def test_a_value_that_it_does_not_take_stands_in_the_status(running: Make) -> None:
    site = running("ash").up()
    site.behave("ash", rewrite="start", drop="log_length")
    site.change("ash", log_length=500)
    site.run("apply", "--auto-approve")
    (made,) = settings(site)
    assert (made["verdict"], made["declared"], made["observed"]) == ("rejected", "500", None)
