"""What `init` writes for a forge: valid, safe, and tried against a forge that is played."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pbxfleet.app.init import init
from support.e2e import PROGRAM, environment
from support.forge_server import GITHUB, GITLAB, ForgeServer, forge
from support.tree import ROOT

CHECKER = PROGRAM.with_name("check-jsonschema")
WORKFLOW = ".github/workflows/pbxfleet.yml"
SCHEMAS = (
    ("vendor.github-workflows", WORKFLOW),
    ("custom.github-workflows-require-timeout", WORKFLOW),
    ("vendor.gitlab-ci", ".gitlab-ci.yml"),
)
MARKER = "<!-- pbxfleet diff -->"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new fleet repository."""
    folder = tmp_path_factory.mktemp("kit") / "fleet"
    init(str(folder))
    return folder


def workflow(repository: Path) -> Any:
    return yaml.safe_load((repository / WORKFLOW).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("schema", "name"), SCHEMAS)
def test_the_published_schemas_take_them(repository: Path, schema: str, name: str) -> None:
    more = ("--data-transform", "gitlab-ci") if "gitlab" in schema else ()
    argv = (str(CHECKER), "--builtin-schema", schema, *more, str(repository / name))
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_workflow_may_do_no_more_than_it_needs(repository: Path) -> None:
    found = workflow(repository)
    assert found["permissions"] == {"contents": "read"}
    (job,) = found["jobs"].values()
    allowed = {"contents": "read", "pull-requests": "write", "security-events": "write"}
    assert job["permissions"] == allowed
    text = (repository / WORKFLOW).read_text(encoding="utf-8")
    assert "pull_request_target" not in text, "a fork would run with our token"
    for used in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[a-z-]+/[a-z/-]+@v[0-9]+", used), used
    checkout = job["steps"][0]["with"]
    assert checkout == {"fetch-depth": 0, "persist-credentials": False}
    # What an event holds comes in as a variable: put into a script it would be run.
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]


def test_the_scripts_can_be_run_and_are_clean(repository: Path) -> None:
    scripts = sorted((repository / "ci").iterdir())
    assert [path.name for path in scripts] == ["check.sh", "comment", "install.sh"]
    assert all(os.access(path, os.X_OK) for path in scripts)
    shells = [str(path) for path in scripts if path.suffix == ".sh"]
    subprocess.run(("shellcheck", *shells), check=True)


# --- the comment ---------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with forge() as played:
        yield played


def told(server: ForgeServer, kind: str, **more: str) -> dict[str, str]:
    """The variables of a job at a forge."""
    if kind == "github":
        own = {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": server.url, "PULL_REQUEST": "7"}
        own |= {"GITHUB_REPOSITORY": "example/fleet", "GITHUB_TOKEN": "good"}
    else:
        own = {"GITLAB_CI": "true", "CI_API_V4_URL": server.url, "CI_PROJECT_ID": "42"}
        own |= {"CI_MERGE_REQUEST_IID": "7", "PBXFLEET_TOKEN": "good"}
    return environment(PAUSE_S="0", **(own | more))


def comment(repository: Path, text: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    file = repository / "diff.md"
    file.write_text(text, encoding="utf-8")
    argv = (sys.executable, str(repository / "ci/comment"), str(file))
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done
    return done


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_three_runs_make_one_comment(repository: Path, server: ForgeServer, kind: str) -> None:
    server.add("looks good")
    server.add(f"quoting:\n> {MARKER}")
    forged = server.add(f"{MARKER}\nnothing is different on any host")
    env = told(server, kind)
    said = [comment(repository, text, env).stdout for text in ("one\n", "two\n", "two\n")]
    assert said == ["made a comment\n", "updated the comment\n", "the comment is up to date\n"]
    assert server.comments[forged].endswith("\nnothing is different on any host")
    ours = [n for n, body in server.comments.items() if body.startswith(MARKER) and n != forged]
    assert len(ours) == 1 and server.comments[ours[0]].endswith("\ntwo\n")
    assert len(server.comments) == 4, "nobody else's was touched"
    assert {path for _, path in server.asked} >= {GITHUB if kind == "github" else GITLAB}


def test_it_is_found_behind_many_others(repository: Path, server: ForgeServer) -> None:
    for number in range(230):
        server.add(f"comment {number}")
    env = told(server, "github")
    comment(repository, "one\n", env)
    comment(repository, "two\n", env)
    assert len(server.comments) == 231


def test_a_fork_gets_the_summary(repository: Path, server: ForgeServer, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    env = told(server, "github", GITHUB_TOKEN="read only", GITHUB_STEP_SUMMARY=str(summary))
    done = comment(repository, "# What it does\n", env)
    assert summary.read_text(encoding="utf-8") == "# What it does\n"
    assert "403" in done.stderr and not server.comments


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "PULL_REQUEST"])
def test_without_a_token_or_a_request_nothing_is_asked(
    repository: Path, server: ForgeServer, missing: str
) -> None:
    done = comment(repository, "one\n", told(server, "github", **{missing: ""}))
    assert "not commented" in done.stderr and not server.asked


def test_a_forge_that_is_not_well_is_asked_again(repository: Path, server: ForgeServer) -> None:
    server.broken = 2
    assert comment(repository, "one\n", told(server, "github")).stdout == "made a comment\n"
    server.broken = 9
    assert "502" in comment(repository, "two\n", told(server, "github")).stderr
    server.broken, server.cut = 0, 9
    assert "BadStatusLine" in comment(repository, "two\n", told(server, "github")).stderr


def test_no_comment_is_too_long_for_its_forge(repository: Path, server: ForgeServer) -> None:
    comment(repository, "a line of sixteen\n" * 5000, told(server, "github"))
    (body,) = server.comments.values()
    assert 60_000 < len(body) <= 65_536
    assert body.rstrip().endswith("the whole text is among the artefacts of the job.")
    assert "a line of sixteen\n\n… cut" in body, "at the end of a line"


# --- the checks ----------------------------------------------------------------------------------


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Ada Admin", "-c", "user.email=ada@example.com")
    argv = ("git", "-C", str(folder), *identity, *words)
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def checked(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The plain script, with the program on the path as it would be installed."""
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    env = environment(**more) | {"PATH": path}
    argv = (str(folder / "ci/check.sh"), *words)
    return subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True, env=env)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new fleet repository that is compiled and committed."""
    folder = tmp_path_factory.mktemp("committed") / "fleet"
    init(str(folder))
    subprocess.run((str(PROGRAM), "-C", str(folder), "compile", "--quiet"), check=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Begin")
    return folder


@pytest.fixture
def cloned(committed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(committed, tmp_path / "fleet")
    return tmp_path / "fleet"


def test_a_change_is_checked_and_told(cloned: Path) -> None:
    instance = cloned / "desired/instances/first.toml"
    instance.write_text(instance.read_text().replace("First", "The first"), encoding="utf-8")
    stale = checked(cloned, "main")
    assert stale.returncode == 2, "compile --check"
    assert "compile --check failed" in stale.stderr
    subprocess.run((str(PROGRAM), "-C", str(cloned), "compile", "--quiet"), check=True)
    git(cloned, "switch", "--quiet", "--create", "rename")
    git(cloned, "commit", "--all", "--quiet", "--message=Rename")
    done = checked(cloned, "main")
    assert done.returncode == 0, done
    for name in ("diff.md", "diff-whole.md"):
        text = (cloned / "check" / name).read_text(encoding="utf-8")
        assert text.startswith(MARKER) and "sys_name" in text
    assert json.loads((cloned / "check/pbxfleet.sarif").read_text())["version"] == "2.1.0"
    assert isinstance(json.loads((cloned / "check/quality.json").read_text()), list)
    assert git(cloned, "status", "--porcelain") == "", "what is written is not to be committed"


def test_a_change_that_policy_denies_fails_with_its_code(cloned: Path) -> None:
    fleet = cloned / "desired/fleet.toml"
    text = fleet.read_text(encoding="utf-8")
    policy = '[policy]\nempty_hosts = ["host1"]\nremovals = "acknowledge"\n'
    fleet.write_text(f"{text}\n{policy}", encoding="utf-8")
    (cloned / "desired/instances/first.toml").unlink()
    subprocess.run((str(PROGRAM), "-C", str(cloned), "compile", "--quiet"), check=True)
    denied = checked(cloned, "main")
    assert denied.returncode == 8, denied
    assert "POL102" in (cloned / "check/diff.md").read_text(encoding="utf-8")


def test_a_broken_file_is_annotated(cloned: Path) -> None:
    instance = cloned / "desired/instances/first.toml"
    instance.write_text("prot = 5060\n" + instance.read_text(), encoding="utf-8")
    done = checked(cloned, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert "::error file=desired/instances/first.toml," in done.stdout


def test_a_base_that_was_not_fetched_is_said(cloned: Path) -> None:
    done = checked(cloned, "0" * 40)
    assert done.returncode == 1
    assert "fetch-depth: 0" in done.stderr


def test_an_image_without_the_program_is_told_what_to_do(cloned: Path) -> None:
    argv = (str(cloned / "ci/install.sh"),)
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment())
    assert done.returncode == 1
    assert "runtime.txt" in done.stderr


# --- pre-commit ----------------------------------------------------------------------------------


def test_each_hook_is_a_command_that_finds_what_it_is_for(cloned: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    wanted = {"id", "name", "description", "entry", "language", "files", "pass_filenames"}
    assert all(set(hook) == wanted for hook in hooks)
    instance = cloned / "desired/instances/first.toml"
    mistakes = {
        "pbxfleet-validate": instance.read_text() + "\nport = 5060\n",
        "pbxfleet-fmt": instance.read_text().replace(" = ", "   =   "),
        "pbxfleet-compile-check": instance.read_text().replace("First", "The first"),
    }
    assert {hook["id"] for hook in hooks} == set(mistakes)
    for hook in hooks:
        program, *words = hook["entry"].split()
        assert program == PROGRAM.name
        argv = (str(PROGRAM), *words)
        assert re.match(hook["files"], "desired/instances/first.toml")
        assert subprocess.run(argv, cwd=cloned, check=False, capture_output=True).returncode == 0
        before = instance.read_text()
        instance.write_text(mistakes[hook["id"]], encoding="utf-8")
        done = subprocess.run(argv, cwd=cloned, check=False, capture_output=True)
        changed = instance.read_text() != mistakes[hook["id"]]
        assert done.returncode or changed, hook["id"]
        instance.write_text(before, encoding="utf-8")
