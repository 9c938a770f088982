"""What plans, drift documents and a look at a host tell on the report page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import html

from pbxfleet.core.errors import Refused
from pbxfleet.model.folding import filled
from pbxfleet.report.drift import drift_data
from pbxfleet.report.drift_json import decode_drift
from pbxfleet.report.page import page
from pbxfleet.report.page_attention import attention
from pbxfleet.report.page_look import look_parts
from pbxfleet.report.page_pending import pending_part, rows
from support.e2e import Site, applied_site, facts, in_process
from support.looked import DEBT, NUMBER, looked, with_look
from support.report_fleets import picture_of, write_fleet


@pytest.fixture(scope="module")
def fleet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fleet(tmp_path_factory.mktemp("fleet"), 2, 2)


def text_of(markup: str) -> str:
    return " ".join(html.fromstring(f"<div>{markup}</div>").text_content().split())


def test_equal_changes_of_many_instances_are_one_row_and_none_is_lost() -> None:
    plan, _ = looked()
    words = {f"p{n:02}": {"instance": f"p{n:02}"} for n in range(NUMBER)}
    found = rows(plan.changes, words)
    mode = [row for row in found if row.said.name == "mode" and row.said.before == "a"]
    assert [sorted(row.names) for row in mode] == [sorted(words)]
    told = sorted(
        (name, *filled(row.said, words.get(name, {}))[:4]) for row in found for name in row.names
    )
    plain = [row for change in plan.changes for row in rows([change], words)]
    assert told == sorted((row.names[0], *row.said[:4]) for row in plain)
    assert len(found) < NUMBER
    assert "warning PLN112 p00..p11: " in text_of(pending_part("h1", plan, ()))


def test_what_was_found_is_told_with_age_author_and_cost(fleet_folder: Path) -> None:
    picture = with_look(picture_of(fleet_folder))
    said = text_of(look_parts(picture.hosts[0]))
    assert f"all {NUMBER} instances" not in said  # the host on the page has others
    assert f"p00..p11{NUMBER} instances" in said.replace(" 12 instances", "12 instances")
    assert "since 2031-05-01T03:10:00Z, 5 days, seen 6 times in a row, came back 2 times" in said
    assert "restart owed since 2031-05-01T03:10:00Z: release" in said
    assert "Not looked at" not in said
    texts = [one.text for one in attention(picture)]
    assert "drift: node00 (3 differences)" in texts
    assert "restarts are owed: node00 (1 instance)" in texts
    whole = html.document_fromstring(page(picture, "")).text_content()
    number = len(looked()[0].changes)
    assert f"{number} pending" in whole and "3 drift" in whole and "1 owed" in whole
    assert "node01: pending changes, drift and restarts owed are not known" in whole


def test_what_the_host_says_stays_text(fleet_folder: Path) -> None:
    text = page(with_look(picture_of(fleet_folder)), "").decode()
    assert "<img" not in text and "&lt;img src=x" in text
    assert "\x1b" not in text and "\u202e" not in text


def test_a_part_that_nobody_looked_at_is_named(fleet_folder: Path) -> None:
    picture = with_look(picture_of(fleet_folder)).hosts[0]
    without = picture._replace(look=picture.look._replace(drift=None, plan=None, pending=3))
    said = text_of(look_parts(without))
    assert "3 declared changes not applied yet" in said and "Not looked at: drift." in said
    nothing = picture._replace(look=picture.look._replace(drift=(), debts=(), plan=None))
    said = text_of(look_parts(nothing))
    assert "No drift" in said and "No restart is owed." in said


def test_a_drift_document_is_read_as_it_was_printed() -> None:
    plan, items = looked()
    data = drift_data("fra1", items, plan.changes, (DEBT,))
    one = decode_drift(json.dumps(data).encode(), "a.json")
    assert one == ("fra1", items, len(plan.changes), (DEBT,))
    early = {key: data[key] for key in data if key != "debts"}
    old = ("class", "resource", "instance", "name", "applied", "observed", "first_seen", "who")
    early["items"] = [{key: item[key] for key in old} for item in data["items"]]
    assert decode_drift(json.dumps(early).encode(), "a.json").debts is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"kind": "plan", "format": 1}',
        b'{"kind": "drift", "format": 2}',
        b'{"kind": "drift", "format": 1, "host": 1, "items": [], "pending": []}',
        b'{"kind": "drift", "format": 1, "host": "a", "items": [{"class": "mode"}], "pending": []}',
        b'{"kind": "drift", "format": 1, "host": "a", "items": [[]], "pending": []}',
        b'{"kind": "drift", "format": 1, "host": "a", "items": [], "pending": [], "debts": [{}]}',
    ],
)
def test_what_is_no_drift_document_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match=r"a\.json is not a drift document"):
        decode_drift(content, "a.json")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = applied_site(tmp_path)
    (site.root / "etc/pbx/backup-alpha.list").unlink()
    site.edit("desired/instances/beta.yaml", "Beta", "Second")
    site.compile()
    return site


def test_a_look_at_the_host_writes_nothing_there(site: Site, tmp_path: Path) -> None:
    before = facts(site.root)
    out = tmp_path / "looked.html"
    words = ("-C", site.repo, "--json", "report", site.host, "--root", site.root, "--out", out)
    done = in_process(*words)
    assert facts(site.root) == before
    texts = [one["text"] for one in done.data["attention"]]
    assert any(text.startswith("drift: h1 (") for text in texts)
    assert any(text.startswith("declared and not applied yet: h1 (") for text in texts)
    said = out.read_text(encoding="utf-8")
    assert "backup-alpha.list" in said and "since when is not known" in said
    assert in_process(*words).code == 0
    assert out.read_text(encoding="utf-8") == said
    first = site.drift()[0]["first_seen"]
    assert in_process(*words).code == 0
    assert f"since {first}" in out.read_text(encoding="utf-8")


def test_files_tell_what_a_look_tells(site: Site, tmp_path: Path) -> None:
    plan, drift, out = tmp_path / "h1.plan", tmp_path / "h1.json", tmp_path / "h1.html"
    site.ok("plan", "--out", plan)
    drift.write_text(site.run("drift", "--json").out, encoding="utf-8")
    words = ("-C", site.repo, "report", "--plan", plan, "--drift", drift, "--out", out)
    assert in_process(*words).code == 0
    said = html.fromstring(out.read_text(encoding="utf-8")).text_content()
    assert f"plan file {plan}, drift document {drift}" in said
    assert "backup-alpha.list" in said and "Second" in said
    first = out.read_bytes()
    assert in_process(*words).code == 0
    assert out.read_bytes() == first


def test_what_cannot_be_told_is_refused(site: Site, tmp_path: Path) -> None:
    plan, absent = tmp_path / "h1.plan", tmp_path / "none"
    site.ok("plan", "--out", plan)
    write = ("-C", str(site.repo), "--json", "report")

    def why(*words: str | Path) -> str:
        done = in_process(*write, *words)
        assert done.code == 1
        return str(done.data["error"]["message"])

    assert why("--plan", plan, "--plan", plan).startswith("h1 is told of twice")
    assert why("--plan", absent) == f"{absent} does not exist"
    assert why("--drift", absent) == f"{absent} does not exist"
    assert why("--drift", plan).startswith(f"{plan} is not a drift document")
    other = tmp_path / "other.plan"
    other.write_text(plan.read_text(encoding="utf-8").replace('"host": "h1"', '"host": "h2"'))
    assert why("--plan", other) == f"plan file {other} is about h2, which is not on the page"
    assert in_process("-C", str(site.repo), "report", "--root", str(site.root)).code == 0


def test_a_root_is_of_one_host(fleet_folder: Path, tmp_path: Path) -> None:
    done = in_process("-C", str(fleet_folder), "--json", "report", "--root", str(tmp_path))
    assert done.data["error"]["message"] == "--root is the / of one host"
