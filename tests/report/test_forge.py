"""Diagnostics for forges: complete, escaped, in the documented form."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.report.forge import GITHUB_SHOWS, Accepted, fingerprint, github, gitlab, sarif
from support.forge_formats import GITLAB, PUBLISHED_SARIF, SARIF

HERE = Span("desired/a b.toml", 3, 5, 3, 9)
THERE = Span("desired/b.toml", 1, 1, 2, 4)
ERROR = Diagnostic(
    "BND101", "two claims: 50%\nof it", HERE, related=((THERE, "first here"),), hint="move, one"
)
ADVICE = Diagnostic("ADV102", "odd port", THERE, Severity.ADVICE)
NOWHERE = Diagnostic("REL101", "no release", None, Severity.WARNING)


def test_github_has_errors_first_and_everything_escaped() -> None:
    assert github([ADVICE, NOWHERE, ERROR]).splitlines() == [
        "::error file=desired/a b.toml,line=3,endLine=3,title=BND101,col=5,endColumn=9"
        "::two claims: 50%25%0Aof it%0Adesired/b.toml:1:1: note: first here%0Ahint: move, one",
        "::warning title=REL101::no release",
        "::notice file=desired/b.toml,line=1,endLine=2,title=ADV102::odd port",
    ]


def test_gitlab_is_a_list_of_findings() -> None:
    rows = json.loads(gitlab([ERROR, NOWHERE]))
    assert [r["check_name"] for r in rows] == ["REL101", "BND101"]
    assert rows[1]["location"] == {"path": "desired/a b.toml", "lines": {"begin": 3, "end": 3}}
    assert rows[1]["description"].endswith(
        "; desired/b.toml:1:1: note: first here; hint: move, one"
    )
    assert {r["severity"] for r in rows} <= {"info", "minor", "major", "critical", "blocker"}
    assert len({r["fingerprint"] for r in rows}) == len(rows)


def test_sarif_names_rules_places_and_related_places() -> None:
    log = json.loads(sarif([ERROR, ADVICE], {"BND101": "two claims"}, "1.2.3"))
    (run,) = log["runs"]
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    assert log["version"] == "2.1.0" and rules == ["ADV102", "BND101"]
    found = next(r for r in run["results"] if r["ruleId"] == "BND101")
    assert rules[found["ruleIndex"]] == "BND101" and found["level"] == "error"
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "desired/a%20b.toml"
    assert place["region"] == {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9}
    assert found["relatedLocations"][0]["message"]["text"] == "first here"


@pytest.mark.parametrize("form", [github, gitlab, lambda d: sarif(d, {}, "0")])
def test_nothing_found_is_still_a_document(form) -> None:  # type: ignore[no-untyped-def]
    text = form([])
    assert text == "" or json.loads(text) is not None


SPANS = st.builds(
    lambda file, line, more, column: Span(file, line, column, line + more, column + 1),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map("desired/{}".format),
    st.integers(1, 9), st.integers(0, 2), st.integers(1, 9),
)  # fmt: skip
DIAGNOSTICS = st.builds(
    Diagnostic,
    st.sampled_from(["BND101", "FMT104", "ADV102"]),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1),
    st.none() | SPANS,
    st.sampled_from(Severity),
    st.lists(st.tuples(SPANS, st.text(min_size=1)), max_size=2, unique=True).map(tuple),
    st.text(),
)
FOUND = st.lists(DIAGNOSTICS, max_size=24)
ACCEPTED = st.lists(
    st.builds(Accepted, DIAGNOSTICS, st.text(), st.dates().map(str), SPANS), max_size=4
)
OF_SARIF = (Draft4Validator(PUBLISHED_SARIF), Draft202012Validator(SARIF))


@given(FOUND, ACCEPTED)
def test_whatever_is_found_or_accepted_the_published_schema_takes_it(
    found: list[Diagnostic], accepted: list[Accepted]
) -> None:
    log = json.loads(sarif(found, {}, "1.0", accepted))
    assert [e.message for judge in OF_SARIF for e in judge.iter_errors(log)] == []
    dismissed = [r for r in log["runs"][0]["results"] if "suppressions" in r]
    assert len(dismissed) == len(accepted)
    for result, one in zip(dismissed, accepted, strict=True):
        (suppression,) = result["suppressions"]
        assert one.reason in suppression["justification"]
        assert one.until in suppression["justification"]


def test_the_published_schema_is_whole_and_refuses() -> None:
    assert len(PUBLISHED_SARIF["definitions"]) == 52
    assert "SARIF) Version 2.1.0" in PUBLISHED_SARIF["title"]
    log = json.loads(sarif([], {}, "1.0", [Accepted(ERROR, "known", "2027-01-31", THERE)]))
    (judge, _) = OF_SARIF
    assert judge.is_valid(log)
    log["runs"][0]["results"][0]["suppressions"][0]["kind"] = "somewhere"
    assert not judge.is_valid(log)


@given(FOUND)
def test_whatever_is_found_the_forges_take_it(found: list[Diagnostic]) -> None:
    log = json.loads(sarif(found, {}, "1.0"))
    rows = json.loads(gitlab(found))
    assert [e.message for e in Draft202012Validator(GITLAB).iter_errors(rows)] == []
    assert len(rows) == len(log["runs"][0]["results"]) == len(set(found))
    assert len({row["fingerprint"] for row in rows}) == len(rows)


@given(FOUND)
def test_github_shows_ten_of_a_kind_and_the_log_has_the_rest(found: list[Diagnostic]) -> None:
    lines = github(found).split("\n")[:-1]
    for word, severity in (("error", Severity.ERROR), ("warning", Severity.WARNING)):
        shown = [line for line in lines if line.startswith(f"::{word} ")]
        count = sum(1 for d in set(found) if d.severity is severity)
        assert len(shown) == min(count, GITHUB_SHOWS)
        assert (count > GITHUB_SHOWS) == any(f"title={count - 9} more::" in line for line in shown)
    plain = [line for line in lines if not line.startswith("::")]
    told = sum(1 for line in lines if line.startswith("::") and " more::" not in line)
    assert told + len(plain) == len(set(found))


@given(st.text(), st.text(), st.integers(1, 9))
def test_any_text_stays_one_line_of_github(message: str, file: str, line: int) -> None:
    text = github([Diagnostic("SRC101", message, Span(file, line, 1, line, 2))])
    assert text.count("\n") == 1 and "\r" not in text


def test_a_finding_keeps_its_identity_when_lines_move() -> None:
    moved = Diagnostic(ERROR.code, ERROR.message, HERE._replace(line=99, end_line=99))
    assert fingerprint(moved) == fingerprint(ERROR)
    assert fingerprint(ADVICE) != fingerprint(ERROR)
