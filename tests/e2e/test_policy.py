"""The policy as people meet it: validate, plan and apply with their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.e2e import Site, applied_site, small_site


def acknowledged(code: str, what: str, expires: str = "2099-12-31") -> str:
    text = f'\n[[acknowledge]]\ncode = "{code}"\nwhat = "{what}"\n'
    return text + f'reason = "the contract ended"\nexpires = {expires}\n'


def declare(site: Site, policy: str, more: str = "") -> None:
    """The policy of the fleet, in the place of the one before."""
    path = site.repo / "desired/fleet.toml"
    text = path.read_text(encoding="utf-8").partition("\n[policy]")[0]
    site.declare("desired/fleet.toml", f"{text}\n[policy]\n{policy}\n{more}")


def codes(site: Site) -> list[tuple[str, str]]:
    return [(n["code"], n["severity"]) for n in site.plan()["notes"]]


def test_a_removal_is_denied_until_the_fleet_file_names_it(tmp_path: Path) -> None:
    site = applied_site(tmp_path)
    declare(site, 'removals = "acknowledge"\ndeletion_budget = 0')
    (site.repo / "desired/instances/alpha.toml").unlink()
    site.compile()
    assert codes(site) == [("POL102", "error"), ("PLN103", "error")]
    assert site.run("plan", "--detailed-exitcode").code == 8
    denied = site.apply(expect=8)
    assert "alpha" in denied.err

    declare(
        site, 'removals = "acknowledge"\ndeletion_budget = 0', acknowledged("POL102", "h1/beta")
    )
    site.compile()
    assert site.apply(expect=8).err

    words = acknowledged("POL102", "h1/alpha", "2020-01-31")
    declare(site, 'removals = "acknowledge"\ndeletion_budget = 0', words)
    site.compile()
    assert "POL104" in site.ok("validate").err
    assert site.apply(expect=8).err

    words = acknowledged("POL102", "h1/alpha")
    declare(site, 'removals = "acknowledge"\ndeletion_budget = 0', words)
    site.compile()
    assert codes(site) == [("POL102", "warning")]
    assert "acknowledged until 2099-12-31: the contract ended" in site.ok("plan").out
    site.apply()
    site.settles()


@pytest.mark.parametrize(
    ("code", "what", "word"),
    [
        ("BND101", "h1", "is not a rule"),
        ("POL101", "h1/alpha", "for a host"),
        ("POL102", "h1", "for an instance"),
    ],
)
def test_an_acknowledgement_that_fits_nothing(
    tmp_path: Path, code: str, what: str, word: str
) -> None:
    site = small_site(tmp_path)
    declare(site, "", acknowledged(code, what))
    done = site.run("validate")
    assert done.code == 1
    assert "error[POL103]" in done.err and word in done.err
