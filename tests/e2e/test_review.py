"""What a reviewer found on live trees: plans that were edited, records of another, nobody's root."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from support.e2e import Site, applied_site, nothing_changes, run, small_site

RECORDS = "var/lib/pbxfleet/records/applied"


def stored_plan(site: Site) -> Path:
    path = site.repo / "reviewed.plan"
    site.ok("plan", "--out", path)
    return path


def test_a_plan_file_whose_steps_were_edited_is_refused(tmp_path: Path) -> None:
    """What was reviewed is what `show` prints of the file; nothing else may be done in its name."""
    site = small_site(tmp_path)
    site.compile()
    path = stored_plan(site)
    data = json.loads(path.read_text())
    data["steps"] = data["steps"][1:]
    path.write_text(json.dumps(data))
    done = run("-C", site.repo, "apply", path)
    assert (done.code, done.out) == (3, "")
    assert "error[PLN101]: the plan is stale" in done.err
    assert not (site.root / "usr").exists()


@pytest.mark.parametrize("value", [None, 5, [], {}])
def test_a_record_of_no_instance_is_damaged(tmp_path: Path, value: Any) -> None:
    site = applied_site(tmp_path)
    record = site.root / RECORDS / "alpha"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"instance": value}))
    done = site.run("plan")
    assert done.code == 1
    assert (
        "error[PLN108]: the applied record applied/alpha in the state folder is damaged" in done.err
    )


def test_a_record_under_another_name_is_damaged(tmp_path: Path) -> None:
    """Two records of one instance would contradict each other from the next apply on."""
    site = applied_site(tmp_path)
    (site.root / RECORDS / "alpha").rename(site.root / RECORDS / "other")
    done = site.run("plan")
    assert done.code == 1
    assert "applied/other in the state folder is damaged: it is of alpha" in done.err


def test_an_empty_root_is_no_root(tmp_path: Path) -> None:
    """`--root "$UNSET"` must neither mean the machine nor the folder one happens to be in."""
    site = small_site(tmp_path)
    site.compile()
    for command in (("plan",), ("drift",), ("status",), ("apply", "--auto-approve")):
        with nothing_changes(tmp_path):
            done = run("-C", site.repo, *command, site.host, "--root", "", cwd=site.root)
        assert done.code == 1, done
        assert "--root is empty" in done.err


def test_what_is_in_the_way_has_a_name(tmp_path: Path) -> None:
    site = small_site(tmp_path)
    site.compile()
    folder = site.root / "usr/local/pbx-alpha"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pbx.xml")
    assert "pbx.xml: a device, socket or FIFO is in the way" in site.run("plan").out


def test_a_directory_half_made_by_a_killed_run_is_swept(tmp_path: Path) -> None:
    site = applied_site(tmp_path)
    (site.root / "usr/local/.pbxfleet-1-1").mkdir()
    (site.root / "var/lib/pbxfleet/journal").write_text('{"event":"begin"}\n')
    site.apply()
    assert not (site.root / "usr/local/.pbxfleet-1-1").exists()
    site.settles()


def test_a_refusal_of_the_host_has_its_own_code(tmp_path: Path) -> None:
    """`explain` of the general code would tell the operator nothing about the link."""
    site = applied_site(tmp_path)
    state = site.root / "var/lib/pbxfleet"
    state.rename(tmp_path / "elsewhere")
    state.symlink_to(tmp_path / "elsewhere")
    done = site.run("apply", "--auto-approve")
    assert done.code == 1
    assert "error[HST101]: /var/lib/pbxfleet" in done.err
