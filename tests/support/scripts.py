"""Runs scripts: one text file with commands, what is expected of them, and the files they need.

A script is lines, then files. Lines that begin with `#` are comments. `$` runs a command (only
pbxfleet) in the work folder; the lines below it, up to the next command, say what is expected:

    $ pbxfleet -C fleet plan h1 --root host      exit code 0 unless said otherwise
    exit 2                                       the exit code
    out h1: nothing to do                        the lines of stdout, all of them, in order
    out~ nothing                                 a text that stdout contains
    out! error                                   a text that it does not contain
    out                                          stdout is empty
    silent                                       stdout and stderr are empty
    type yes                                     run it on a terminal and type this line
    json host = "h1"                             a value in the JSON document on stdout

`err`, `err~` and `err!` say the same of stderr. On a terminal everything is stdout. Between
commands: `base NAME` copies a fleet of tests/e2e/fleets to fleet/ and makes host/; `cp FROM TO`,
`mv FROM TO`, `rm PATH`, `mkdir PATH`, `link TARGET PATH`, `chmod MODE PATH`, `edit PATH "old" "new"`
and `append PATH "text"` change files; `exists PATH`, `absent PATH`, `same PATH PATH`, `mode MODE
PATH` and `has PATH "text"` look at them; `remember` notes every path, `unchanged` fails if one was
written, made, removed or touched since. `env NAME=VALUE` is for all commands after it.

Files follow as `-- PATH --` and their lines; a path is relative to the work folder, whose name is
$WORK in all lines.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from support.e2e import Done, environment, facts, run, run_typing

FLEETS = Path(__file__).resolve().parents[1] / "e2e" / "fleets"
EXPECTATIONS = ("exit", "out", "out~", "out!", "err", "err~", "err!", "silent", "type", "json")


class Line(NamedTuple):
    """One line of a script: its number, first word and the rest."""

    number: int
    verb: str
    rest: str


class Script:
    """One script, run in `work`."""

    def __init__(self, text: str, work: Path) -> None:
        self.work = work
        self.env = environment()
        self.remembered: dict[str, Any] = {}
        head, *files = text.split("\n-- ")
        for entry in files:
            name, _, content = entry.partition(" --\n")
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if content.endswith("\n") else content + "\n", encoding="utf-8")
        lines = head.replace("$WORK", str(work)).split("\n")
        self.lines = [
            Line(number, *_words(line))
            for number, line in enumerate(lines, 1)
            if line and not line.startswith("#")
        ]

    def play(self) -> None:
        """Run it to its end; an AssertionError names the line that was not as expected."""
        lines = self.lines
        while lines:
            line, lines = lines[0], lines[1:]
            try:
                if line.verb == "$":
                    count = next(
                        (i for i, n in enumerate(lines) if n.verb not in EXPECTATIONS), len(lines)
                    )
                    self.command(line, lines[:count])
                    lines = lines[count:]
                else:
                    self.act(line.verb, shlex.split(line.rest))
            except (AssertionError, LookupError, TypeError, ValueError, OSError) as error:
                raise AssertionError(
                    f"line {line.number}: {line.verb} {line.rest}\n{error!s}"
                ) from error

    def command(self, line: Line, expected: list[Line]) -> None:
        program, *words = shlex.split(line.rest)
        assert program == "pbxfleet", "only pbxfleet is run here"
        typed = [e.rest for e in expected if e.verb == "type"]
        if typed:
            done = run_typing("\n".join(typed) + "\n", *words, cwd=self.work, env=self.env)
        else:
            done = run(*words, cwd=self.work, env=self.env)
        codes = [int(e.rest) for e in expected if e.verb == "exit"] or [0]
        said = f"exit {done.code}\n--- stdout\n{done.out}--- stderr\n{done.err}"
        assert codes == [done.code], said
        for name, stream in (("out", done.out), ("err", done.err)):
            exact = [e.rest for e in expected if e.verb == name]
            assert not exact or stream.split("\n")[:-1] == (exact if any(exact) else []), said
        for one in expected:
            assert _holds(one, done), f"line {one.number}: {one.verb} {one.rest}\n{said}"

    def act(self, verb: str, words: list[str]) -> None:
        actions: dict[str, Callable[..., object]] = {
            "base": self._base,
            "env": lambda pair: self.env.update([pair.split("=", 1)]),
            "remember": self._remember,
            "unchanged": self._unchanged,
        }
        if verb in actions:
            actions[verb](*words)
            return
        assert verb in FILES, f"{verb} is not known"
        texts = TEXTS.get(verb, ())
        given = [word if at in texts else self.work / word for at, word in enumerate(words)]
        # What enables a unit is a link to where it lies on a real host, which is this machine.
        links = [path for path in given if isinstance(path, Path) and path.is_symlink()]
        assert not links or verb in ("rm", "exists", "absent"), f"{verb} would follow a link"
        FILES[verb](*given)

    def _base(self, name: str) -> None:
        shutil.copytree(FLEETS / name, self.work / "fleet", dirs_exist_ok=True)
        (self.work / "host").mkdir(exist_ok=True)

    def _remember(self) -> None:
        self.remembered = facts(self.work)

    def _unchanged(self) -> None:
        now, before = facts(self.work), self.remembered
        changed = [path for path in {**now, **before} if now.get(path) != before.get(path)]
        assert not changed, f"changed: {changed}"


def _words(line: str) -> tuple[str, str]:
    verb, _, rest = line.partition(" ")
    return verb, rest


def _holds(expected: Line, done: Done) -> bool:
    match expected.verb:
        case "out~" | "err~":
            return expected.rest in getattr(done, expected.verb[:3])
        case "out!" | "err!":
            return expected.rest not in getattr(done, expected.verb[:3])
        case "silent":
            return (done.out, done.err) == ("", "")
        case "json":
            path, _, value = expected.rest.partition(" = ")
            return bool(_at(done.data, path.split(".")) == json.loads(value))
    return True


def _at(data: Any, path: list[str]) -> Any:
    for key in path:
        data = data[int(key) if isinstance(data, list) else key]
    return data


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"it stands there {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def _check(truth: bool) -> None:
    assert truth


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


FILES: dict[str, Callable[..., object]] = {
    "cp": shutil.copy2,
    "mv": lambda old, new: old.rename(new),
    "rm": _remove,
    "mkdir": lambda path: path.mkdir(parents=True),
    "link": lambda target, path: path.symlink_to(target),
    "chmod": lambda mode, path: path.chmod(int(mode, 8)),
    "edit": _edit,
    "append": _append,
    "exists": lambda path: _check(os.path.lexists(path)),
    "absent": lambda path: _check(not os.path.lexists(path)),
    "same": lambda one, other: _check(one.read_bytes() == other.read_bytes()),
    "mode": lambda mode, path: _check(path.stat().st_mode & 0o7777 == int(mode, 8)),
    "has": lambda path, text: _check(text in path.read_text(encoding="utf-8")),
}
# Which words of a verb are not paths, counted from 0.
TEXTS = {"edit": (1, 2), "append": (1,), "has": (1,), "chmod": (0,), "mode": (0,), "link": (0,)}
