"""What a fleet accepts is told in each form with its reason and its last day, and comes back behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from support.e2e import Done, Site, small_site
from support.forge_formats import GITLAB, PUBLISHED_SARIF, SARIF
from support.output_schemas import judge

REASON = 'phones have the "old" port, since 2019: 100% of them'
FORMS = ("human", "json", "sarif", "github", "gitlab")
# What is told of the fleet besides.
CODE, PLACE = "ADV102", "desired/instances/alpha.toml"


def site(folder: Path, until: str) -> Site:
    """A fleet in which an instance has another web port, which is accepted until that day."""
    made = small_site(folder)
    made.edit(PLACE, 'host = "h1"', 'host = "h1"\nlisten = { http = 8080 }')
    fleet = made.repo / "desired/fleet.toml"
    text = f'[[suppress]]\ncode = "{CODE}"\nwhere = "h1/alpha"\n'
    text += f"reason = '{REASON}'\nuntil = {until}\n"
    fleet.write_text(f"{fleet.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")
    return made


def told(made: Site) -> dict[str, Done]:
    """What the installed command says in each form."""
    found = {form: made.run("validate", "--format", form) for form in FORMS}
    assert {done.code for done in found.values()} == {0}, found
    return found


def results(text: str) -> list[Any]:
    """The results of a SARIF log, which must be as published."""
    log = json.loads(text)
    for validator in (Draft4Validator(PUBLISHED_SARIF), Draft202012Validator(SARIF)):
        assert [e.message for e in validator.iter_errors(log)] == []
    return [r for r in log["runs"][0]["results"] if r["ruleId"] in (CODE, "SUP103")]


def rows(text: str) -> list[str]:
    """The codes of a report for GitLab."""
    found = json.loads(text)
    assert [e.message for e in Draft202012Validator(GITLAB).iter_errors(found)] == []
    return [row["check_name"] for row in found]


def test_while_it_holds_the_reason_and_the_day_are_told(tmp_path: Path) -> None:
    found = told(site(tmp_path, "2099-12-31"))
    accepted = f"accepted: {CODE} for h1/alpha, until 2099-12-31: {REASON}\n"
    assert accepted in found["human"].err
    assert f"[{CODE}]" not in found["human"].err
    assert found["human"].out == ""

    document = found["json"].data
    judge("diagnostics.schema.json", document)
    assert CODE not in [d["code"] for d in document["diagnostics"]]
    (one,) = document["suppressed"]
    assert (one["code"], one["file"]) == (CODE, PLACE)
    line = one["suppression"].pop("line")
    assert one["suppression"] == {
        "reason": REASON,
        "until": "2099-12-31",
        "file": "desired/fleet.toml",
    }

    (result,) = results(found["sarif"].out)
    (suppression,) = result["suppressions"]
    assert suppression["status"] == "accepted"
    assert suppression["justification"] == f"{REASON} (until 2099-12-31)"
    place = suppression["location"]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "desired/fleet.toml"
    assert place["region"]["startLine"] == line
    # They know no acceptance: a form in which it is a finding would be one that nobody can close.
    assert CODE not in found["github"].out
    assert CODE not in rows(found["gitlab"].out)


def test_behind_its_last_day_it_is_back_in_each_form(tmp_path: Path) -> None:
    found = told(site(tmp_path, "2020-12-31"))
    for form in FORMS:
        said = found[form].out + found[form].err
        assert CODE in said and "SUP103" in said, form
        reason = {"human": REASON, "github": REASON.replace("%", "%25")}.get(form)
        assert (reason or json.dumps(REASON)[1:-1]) in said, form
    assert found["json"].data["suppressed"] == []
    assert [r for r in results(found["sarif"].out) if "suppressions" in r] == []
    assert {CODE, "SUP103"} <= set(rows(found["gitlab"].out))


@pytest.mark.parametrize("form", ["human", "sarif"])
def test_quiet_hides_nothing_that_is_accepted_from_programs(tmp_path: Path, form: str) -> None:
    made = site(tmp_path, "2099-12-31")
    done = made.run("validate", "--quiet", "--format", form)
    assert done.code == 0
    assert (CODE in done.out + done.err) == (form == "sarif")
