"""What the command prints, for people, for programs and for pipes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.e2e import (
    PROGRAM,
    Site,
    applied_site,
    environment,
    in_process,
    ok,
    run,
    run_typing,
    small_site,
)
from support.tree import PACKAGE

CODES = sorted(path.stem for path in (PACKAGE / "pages").glob("*.md"))
ESCAPE = "\x1b"

DIAGNOSTIC = {
    "code", "severity", "message", "file", "line", "column", "end_line", "end_column", "related",
    "hint",
}  # fmt: skip
CHANGE = {"resource", "kind", "instance", "status", "action", "impact", "reason", "fields"}
FIELD = {"name", "before", "after", "origin"}
ITEM = {"class", "resource", "instance", "name", "applied", "observed", "first_seen", "who"}
CLASSES = {"missing", "changed", "extra", "mode", "runtime"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return applied_site(tmp_path)


def disturb(site: Site) -> None:
    """Something for every command to tell: a change that is pending, and drift of several kinds."""
    (site.root / "etc/pbx/backup.list").write_text("/home\n", encoding="utf-8")
    (site.root / "etc/pbx/backup-alpha.list").unlink()
    (site.root / "etc/systemd/system/pbx-alpha.service").chmod(0o600)
    site.edit("desired/instances/beta.yaml", "Beta", "Second")
    site.compile()


class TestJson:
    """One document on stdout, with the shapes that other programs rely on."""

    def test_every_command_has_format_and_outcome(self, site: Site, tmp_path: Path) -> None:
        disturb(site)
        on_host = (site.host, "--root", str(site.root))
        reference = site.repo / "desired/reference/pbx.xml"
        plan = tmp_path / "plan.json"
        ok("plan", "-C", site.repo, *on_host, "--out", plan, "--quiet")
        commands: dict[str, tuple[int, tuple[str | Path, ...]]] = {
            "init": (0, (tmp_path / "new",)),
            "validate": (0, ()),
            "compile": (0, ("--check",)),
            "learn": (0, (reference,)),
            "plan": (2, (*on_host, "--detailed-exitcode")),
            "show": (0, (plan,)),
            "drift": (2, on_host),
            "status": (0, on_host),
            "explain": (0, ("BND101",)),
            "schema": (0, ()),
            "completion": (0, ("bash",)),
            "apply": (0, (plan,)),
        }
        outcomes = {0: {"done", "nothing_to_do", "differences"}, 2: {"differences"}}
        for command, (code, words) in commands.items():
            done = run(command, "--json", "-C", site.repo, *words)
            assert done.code == code, (command, done)
            assert done.data["format"] == 1, command
            assert done.data["outcome"] in outcomes[code], (command, done.data["outcome"])

    def test_a_refusal_is_a_document_too(self, site: Site) -> None:
        for words in (("plan", "other"), ("apply", site.host), ("learn", "nothing.xml")):
            done = run(*words, "--json", "-C", site.repo)
            assert done.code == 1
            assert done.data["outcome"] == "refused"
            assert set(done.data["error"]) == {"code", "message", "hint"}
            assert done.data["error"]["message"] in done.err

    def test_diagnostics(self, site: Site) -> None:
        site.edit("desired/instances/alpha.toml", "203.0.113.10", "203.0.113.11")
        site.edit("desired/instances/beta.yaml", "host: h1", "host: h1\naddress: 203.0.113.11")
        done = site.run("validate", "--json")
        assert done.code == 1
        assert done.data["outcome"] == "refused"
        for diagnostic in done.data["diagnostics"]:
            assert set(diagnostic) >= DIAGNOSTIC
            assert diagnostic["severity"] in ("error", "warning", "advice")
        (both, *_) = [d for d in done.data["diagnostics"] if d["severity"] == "error"]
        places = {(p["file"], p["line"]) for p in (both, *both["related"])}
        assert places >= {("desired/instances/alpha.toml", 2), ("desired/instances/beta.yaml", 2)}
        assert site.run("validate", "--json").out == done.out

    def test_a_plan(self, site: Site) -> None:
        disturb(site)
        plan = site.plan()
        assert {"changes", "steps", "notes", "summary", "host"} <= set(plan)
        changes = {change["resource"]: change for change in plan["changes"]}
        for change in plan["changes"]:
            assert set(change) >= CHANGE
            for field in change["fields"]:
                assert set(field) >= FIELD
        settings = changes["settings:/usr/local/pbx-beta/pbx.xml"]
        assert settings["fields"] == [
            {
                "name": "sys_name",
                "before": "Beta",
                "after": "Second",
                "status": "pending",
                "origin": "desired/instances/beta.yaml:3:13",
            }
        ]
        assert [step["number"] for step in plan["steps"]] == list(range(1, len(plan["steps"]) + 1))

    def test_drift_keeps_what_is_merely_pending_apart(self, site: Site) -> None:
        disturb(site)
        found = site.run("drift", "--json").data
        assert {item["class"] for item in found["items"]} == {"changed", "missing", "mode"}
        for item in found["items"]:
            assert set(item) >= ITEM
            assert item["class"] in CLASSES
        assert [c["resource"] for c in found["pending"]] == ["settings:/usr/local/pbx-beta/pbx.xml"]
        # The time of the first sight stays, and so the whole answer, but for what counts the sights.
        again = site.run("drift", "--json").data
        for item, before in zip(again["items"], found["items"], strict=True):
            assert item["sightings"] == before["sightings"] + 1
            item |= {name: before[name] for name in ("sightings", "last_seen")}
        assert again == found

    def test_an_apply_says_what_became_of_every_step(self, site: Site) -> None:
        disturb(site)
        planned = site.plan()
        applied = site.apply("--json").data
        assert applied["outcome"] == "done"
        assert applied["plan"]["steps"] == planned["steps"]
        assert [s["result"] for s in applied["steps"]] == ["done"] * len(planned["steps"])
        assert applied["failure"] == ""
        assert site.apply("--json").data["outcome"] == "nothing_to_do"

    def test_status(self, site: Site) -> None:
        rows = site.ok("status", "--json").data["instances"]
        assert [row["instance"] for row in rows] == ["alpha", "beta"]
        assert {row["differs"] for row in rows} == {0}


class TestColour:
    """On a terminal that wants it, and nowhere else."""

    def coloured(self, site: Site, *words: str, **more: str) -> bool:
        env = environment(TERM="xterm", **more)
        command = ("plan", "-C", str(site.repo), site.host, "--root", str(site.root), *words)
        return ESCAPE in run_typing("", *command, env=env).out

    def test_only_on_a_terminal(self, tmp_path: Path) -> None:
        site = small_site(tmp_path)
        site.compile()
        assert self.coloured(site)
        assert not self.coloured(site, "--no-color")
        assert not self.coloured(site, "--json")
        assert not self.coloured(site, NO_COLOR="1")
        env = environment(TERM="dumb")
        on_host = ("-C", site.repo, site.host, "--root", site.root)
        assert ESCAPE not in run_typing("", "plan", *on_host, env=env).out
        assert ESCAPE not in run("plan", *on_host, env=environment(TERM="xterm")).out

    def test_no_bytes_of_control_in_a_pipe(self, site: Site) -> None:
        disturb(site)
        for command in ("plan", "drift", "status", "validate"):
            done = site.run(command)
            assert ESCAPE not in done.out + done.err
            assert "\r" not in done.out + done.err

    def test_a_value_of_the_host_cannot_paint_the_terminal(self, site: Site) -> None:
        path = site.root / "usr/local/pbx-beta/pbx.xml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(">Beta<", ">\u202e\x9b2J\n\tB<"), encoding="utf-8")
        for command in ("plan", "drift"):
            done = site.run(command)
            assert done.out.isascii(), done.out
            assert "\\n\\tB" in done.out


class TestPipes:
    """A reader that goes away is no bug of ours."""

    @pytest.mark.parametrize("words", [["explain"], ["plan"], ["validate", "--json"], ["schema"]])
    def test_the_reader_closes_early(self, tmp_path: Path, words: list[str]) -> None:
        site = small_site(tmp_path)
        site.compile()
        more = [site.host, "--root", str(site.root)] if words == ["plan"] else []
        with subprocess.Popen(
            (str(PROGRAM), "-C", str(site.repo), *words, *more),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            said = process.stderr.read().decode()
            process.wait(60)
        assert "Traceback" not in said
        assert "Exception" not in said
        assert "BrokenPipe" not in said

    def test_a_full_disk_is_said(self, site: Site) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                (str(PROGRAM), "explain"),
                env=environment(),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
            )
        assert done.returncode != 0
        assert b"Traceback" not in done.stderr
        assert b"No space left" in done.stderr or b"no space left" in done.stderr


def test_every_code_is_explained() -> None:
    listed = dict(line.split("  ", 1) for line in ok("explain").out.splitlines())
    assert sorted(listed) == CODES
    pages = {code: in_process("explain", code) for code in CODES}
    for code, done in pages.items():
        assert done.out.startswith(f"# {code}: {listed[code]}\n"), code
        assert done.err == ""


def test_every_command_has_help() -> None:
    listing = ok("--help").out
    for command in ("init", "demo", "validate", "compile", "learn", "plan", "show", "apply",
                    "drift", "status", "explain", "schema", "completion"):  # fmt: skip
        assert f"    {command} " in listing or f"    {command}\n" in listing
        assert f"usage: pbxfleet {command}" in ok(command, "--help").out


def test_words_of_another_encoding_do_not_end_in_a_traceback(site: Site) -> None:
    site.edit("desired/instances/beta.yaml", "Beta", "B\u00e8ta \u4e2d \U0001f600")
    site.compile()
    for locale in ("C", "POSIX", "C.UTF-8"):
        env: dict[str, Any] = environment(LC_ALL=locale, PYTHONCOERCECLOCALE="0")
        done = run("plan", "-C", site.repo, site.host, "--root", site.root, env=env)
        assert done.code == 0, done
        assert "Beta -> " in done.out
        data = run("plan", "--json", "-C", site.repo, site.host, "--root", site.root, env=env)
        assert (
            json.loads(data.out)["changes"][0]["fields"][0]["after"]
            == "B\u00e8ta \u4e2d \U0001f600"
        )
