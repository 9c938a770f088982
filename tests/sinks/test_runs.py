"""Who is told of a run: once, again where it could not be delivered, and also that it was refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.app.tidings import declared_sinks
from pbxfleet.host.mail import PROGRAM
from pbxfleet.model.sinks import NO_SINKS
from support.e2e import Done, Site, applied_site
from support.receivers import Inbox, Journal, hook

LIST, LATER = "etc/pbx/backup.list", "etc/pbx/backup-alpha.list"
METRICS, REPORT = "/var/lib/node-exporter/pbxfleet.prom", "/var/lib/pbxfleet-report/drift.json"
DECLARED = f'\n[sinks]\nmetrics = "{METRICS}"\nreport = "{REPORT}"\nmail = "ops@example.com"\n'


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return applied_site(tmp_path_factory.mktemp("original"))


@pytest.fixture
def site(original: Site, tmp_path: Path) -> Site:
    """A host that is as declared; commands run in this process."""
    made = Site(tmp_path / "site")
    made.as_process = False
    shutil.copytree(original.repo, made.repo)
    shutil.copytree(original.root, made.root, symlinks=True, dirs_exist_ok=True)
    return made


def values(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines if line[0] != "#"}


def drift(site: Site, *words: str | Path, code: int) -> Done:
    done = site.run("drift", *words)
    assert done.code == code, done
    return done


def test_metrics_of_a_drift_and_an_apply_stand_in_one_file(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "pbxfleet.prom"
    (site.root / LIST).unlink()
    drift(site, "--metrics", file, code=2)
    before = values(file)
    assert before['pbxfleet_drift_items{host="h1",instance="",class="missing"}'] == "1"
    assert before['pbxfleet_drift_items{host="h1",instance="alpha",class="missing"}'] == "0"
    assert before['pbxfleet_plan_differs{host="h1"}'] == "1"
    assert int(before['pbxfleet_drift_oldest_timestamp_seconds{host="h1"}']) > 1_600_000_000
    assert file.stat().st_mode & 0o777 == 0o644
    site.apply("--metrics", file)
    after = values(file)
    assert after['pbxfleet_plan_differs{host="h1"}'] == "0"
    assert after['pbxfleet_last_exit_code{host="h1",command="apply"}'] == "0"
    assert after['pbxfleet_last_exit_code{host="h1",command="drift"}'] == "2"
    assert after['pbxfleet_drift_items{host="h1",instance="",class="missing"}'] == "1", (
        "not measured"
    )
    drift(site, "--metrics", file, code=0)
    assert values(file)['pbxfleet_drift_items{host="h1",instance="",class="missing"}'] == "0"


def test_a_refused_run_moves_the_last_run_only(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "pbxfleet.prom"
    drift(site, "--metrics", file, code=0)
    old = file.read_text(encoding="utf-8")
    now = values(file)['pbxfleet_last_run_timestamp_seconds{host="h1",command="drift"}']
    file.write_text(old.replace(now, "1000000000"), encoding="utf-8")
    site.edit("desired/instances/alpha.toml", 'host = "h1"', 'host = "h1"\n# changed')
    refused = drift(site, "--metrics", file, code=1)
    assert "PLN107" in refused.err
    found = values(file)
    assert int(found['pbxfleet_last_run_timestamp_seconds{host="h1",command="drift"}']) >= int(now)
    label = '{host="h1",command="drift"}'
    assert found[f"pbxfleet_last_success_timestamp_seconds{label}"] == "1000000000"
    assert found[f"pbxfleet_last_exit_code{label}"] == "1"
    assert found['pbxfleet_plan_differs{host="h1"}'] == "0", "what was not measured stays"


def test_declared_files_lie_in_the_folder_that_plays_the_host(site: Site) -> None:
    fleet = site.repo / "desired/fleet.toml"
    fleet.write_text(fleet.read_text(encoding="utf-8") + DECLARED, encoding="utf-8")
    site.compile()
    (site.root / LIST).unlink()
    drift(site, code=2)
    assert values(site.root / METRICS[1:])
    report = json.loads((site.root / REPORT[1:]).read_text(encoding="utf-8"))
    assert [item["class"] for item in report["items"]] == ["missing"]
    assert (site.root / REPORT[1:]).stat().st_mode & 0o777 == 0o600
    (site.root / METRICS[1:]).unlink()
    drift(site, "--no-sinks", code=2)
    assert not (site.root / METRICS[1:]).exists()


def test_mail_tells_what_is_new_and_is_tried_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Inbox(tmp_path) as inbox:
        monkeypatch.setenv(PROGRAM, "/bin/false")
        drift(site, "--mail", "ops@example.com", code=0)
        (site.root / LIST).unlink()
        failed = drift(site, "--only-new", "--mail", "ops@example.com", code=2)
        assert "not told: mail" in failed.err
        monkeypatch.setenv(PROGRAM, str(inbox.program))
        # Cron has been told of it already; whoever gets the mail has not.
        drift(site, "--only-new", "--mail", "ops@example.com", code=0)
        (first,) = inbox.received
        assert first["Subject"] == "pbxfleet drift: 1 difference on h1 since the last apply"
        drift(site, "--mail", "ops@example.com", code=2)
        assert len(inbox.received) == 1, "nothing is new"
        (site.root / LATER).unlink()
        drift(site, "--mail", "ops@example.com", code=2)
        text = inbox.received[1].get_payload()
        assert f"/{LATER}" in text and f"/{LIST} " not in text
        assert "1 more have been told before" in text
        site.apply("--mail", "ops@example.com")
        assert len(inbox.received) == 2, "an apply that did what was asked"


def test_what_does_not_last_is_told_nobody_but_metrics(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pbxfleet.prom"
    monkeypatch.setattr("pbxfleet.host.journald.SOCKET", str(tmp_path / "socket"))
    with Inbox(tmp_path) as inbox, hook() as server, Journal(tmp_path / "socket") as journal:
        monkeypatch.setenv(PROGRAM, str(inbox.program))
        people = ("--mail", "ops@example.com", "--webhook", server.url, "--journal")
        words = ("--only-new", "--after", "3", "--metrics", file, *people)
        (site.root / LIST).unlink()
        for run in (1, 2):
            done = drift(site, *words, code=0)
            assert done.out == done.err == ""
            assert (
                values(file)['pbxfleet_drift_items{host="h1",instance="",class="missing"}'] == "1"
            )
            assert not inbox.received and not server.posted, f"run {run}"
            assert journal.entry()["PBXFLEET_EVENTS"] == "0"
        drift(site, *words, code=2)
        assert len(inbox.received) == len(server.posted) == 1
        assert journal.entry()["PBXFLEET_ABOUT"] == "missing"
        (site.root / LATER).unlink()
        drift(site, *words, code=0)
        assert len(inbox.received) == len(server.posted) == 1, "the other one does not last yet"
        site.apply()
        drift(site, *words, code=0)
        assert posted(server.posted[1].body)["new"] == [], "its end"


def test_silence_of_a_sink_is_no_good_news(site: Site) -> None:
    done = drift(site, "--json", "--metrics", "/proc/none/x.prom", code=1)
    assert "warning: not told: metrics: /proc/none" in done.err
    assert done.data["outcome"] == "done", "the verdict is what it is"
    assert done.data["undelivered"][0].startswith("metrics: /proc/none")
    assert drift(site, "--json", code=0).data.get("undelivered") is None
    (site.root / LIST).unlink()
    drift(site, "--metrics", "/proc/none/x.prom", code=2)
    site.apply("--metrics", "/proc/none/x.prom")  # what was applied is applied


def posted(body: bytes) -> Any:
    return json.loads(body)


def test_a_webhook_hears_of_the_beginning_and_the_end(site: Site, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret", encoding="utf-8")
    secret.chmod(0o600)
    with hook() as server:
        words = ("--webhook", server.url, "--webhook-secret", secret)
        drift(site, *words, code=0)
        assert not server.posted
        (site.root / LIST).unlink()
        drift(site, *words, code=2)
        drift(site, *words, code=2)
        assert len(server.posted) == 1
        document = posted(server.posted[0].body)
        assert (document["outcome"], document["host"]) == ("differences", "h1")
        assert len(document["items"]) == len(document["new"]) == 1
        assert "x-pbxfleet-signature" in server.posted[0].headers
        site.apply()
        drift(site, *words, code=0)
        assert posted(server.posted[1].body)["items"] == []
        keys = {p.headers["idempotency-key"] for p in server.posted}
        assert len(keys) == 2


def test_a_refused_run_is_told_too_and_once(site: Site) -> None:
    site.edit("desired/instances/alpha.toml", 'host = "h1"', 'host = "h1"\n# changed')
    with hook() as server:
        drift(site, "--webhook", server.url, code=1)
        drift(site, "--webhook", server.url, code=1)
    (post,) = server.posted
    assert post.headers["x-pbxfleet-event"] == "drift.refused"
    assert posted(post.body)["error"]["code"] == "PLN107"


def test_the_journal_gets_fields(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site.root / LIST).unlink()
    with Journal(tmp_path / "socket") as journal:
        monkeypatch.setattr("pbxfleet.host.journald.SOCKET", journal.path)
        drift(site, "--journal", code=2)
        item, run = journal.entry(), journal.entry()
        assert item["PBXFLEET_ABOUT"] == "missing" and f"/{LIST}" in item["MESSAGE"]
        assert run["PBXFLEET_OUTCOME"] == "differences" and run["PBXFLEET_EVENTS"] == "1"
        assert run["PRIORITY"] == "4" and len(run["MESSAGE_ID"]) == 32
        drift(site, "--journal", code=2)
        assert "PBXFLEET_ABOUT" not in journal.entry(), "each thing once, and the run each time"


def test_nobody_is_told_from_another_machine(site: Site) -> None:
    """Who types `drift h1` at a desk is told that it is not h1; whoever waits for h1 is not."""
    fleet = site.repo / "desired/fleet.toml"
    fleet.write_text(fleet.read_text(encoding="utf-8") + DECLARED, encoding="utf-8")
    site.compile()
    sinks, state = declared_sinks(str(site.repo), "h1", str(site.root))
    assert sinks.mail == ("ops@example.com",) and state is not None
    assert declared_sinks(str(site.repo), "h1", "") == (NO_SINKS, None)
    assert declared_sinks(str(site.repo), "h2", str(site.root)) == (NO_SINKS, None)
    known = site.root / "var/lib/pbxfleet/records/machine"
    known.write_text(known.read_text(encoding="utf-8").replace('"h1"', '"h2"'), encoding="utf-8")
    assert declared_sinks(str(site.repo), "h1", str(site.root)) == (NO_SINKS, None)


@pytest.mark.parametrize("address", ["-oQ/tmp", "a b@example.com", "a@example.com,b@example.com"])
def test_an_address_is_no_option_of_sendmail(site: Site, address: str) -> None:
    site.as_process = True
    assert site.run("drift", f"--mail={address}").code == 64
