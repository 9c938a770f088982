"""Commands: a clean environment, no input, a time limit, and no waiting for what they leave behind."""

from __future__ import annotations

import time

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import Runner
from support.processes import PATIENCE_S

RUNNER = Runner()


def test_output_and_exit_code() -> None:
    ran = RUNNER.run(("sh", "-c", "echo out; echo err >&2; exit 3"))
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "out\n", "err\n")


def test_the_environment_is_clean_and_there_is_no_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    ran = RUNNER.run(("sh", "-c", "env; pwd; cat"))
    lines = set(ran.stdout.splitlines()) - {"PWD=/", "SHLVL=1", "_=/usr/bin/env"}
    assert lines == {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C",
        "/",
    }


def test_words_are_words() -> None:
    ran = RUNNER.run(("printf", "%s|", "a b", "$HOME", ";", "*", "'"))
    assert ran.stdout == "a b|$HOME|;|*|'|"


def test_a_bad_end_is_an_error_with_what_was_said() -> None:
    with pytest.raises(HostError) as refusal:
        RUNNER.check(("sh", "-c", "for n in 1 2 3 4 5 6 7; do echo line $n >&2; done; exit 4"))
    assert refusal.value.code == "HST105"
    assert refusal.value.message == "exit code 4; line 3; line 4; line 5; line 6; line 7"
    with pytest.raises(HostError, match="signal 9"):
        RUNNER.check(("sh", "-c", "kill -9 $$"))


@pytest.mark.parametrize("argv", [("no-such-command",), ("/etc/passwd",), ("/",)])
def test_what_cannot_be_run(argv: tuple[str, ...]) -> None:
    with pytest.raises(HostError) as refusal:
        RUNNER.run(argv)
    assert (refusal.value.code, refusal.value.subject) == ("HST105", argv[0])


def test_a_daemon_that_keeps_the_output_open_is_not_waited_for() -> None:
    started = time.monotonic()
    ran = RUNNER.run(("sh", "-c", "sleep 20 & echo started"))
    assert ran.stdout == "started\n"
    assert time.monotonic() - started < 15


def test_a_command_that_hangs_is_ended_with_its_group() -> None:
    started = time.monotonic()
    with pytest.raises(HostError, match=r"not done after 0\.2 s; about to hang") as refusal:
        RUNNER.run(("sh", "-c", "echo about to hang >&2; sleep 600 | cat"), timeout_s=0.2)
    assert refusal.value.code == "HST105"
    assert time.monotonic() - started < PATIENCE_S


def test_output_that_is_not_text() -> None:
    assert RUNNER.run(("printf", r"\377a")).stdout == "\ufffda"
