"""One story of a host, told by a data file, on whatever kind of host it is given.

A file has `sockets` and `answers` of every running instance, `instances` with address and core, and
steps. What a step does, in this order, as far as it says so:

    edit, remove     the declaration changes: settings, `cpu` or `release` of instances, or with
                     `login` pbxfleet may ask them; instances go
    declare          keys of the host's file from now on; {other day} in a text is not today, nor near
    calls            so many calls are on these instances now
    host             `reboot`, or `power cut`
    run              commands in the host's shell; a table has one for each service manager
    pbxfleet         the installed command
    gives_way        that command runs with the lowest priority, as it does outside of tests
    cut_when_down    the machine loses power as soon as this instance has no process in that command

and what it expects: `code` (0) and `says` of the command; the instances that are `started`, `stopped`
or `gone` by it, or all that are `running` and `enabled`; those whose processes are `replaced` (`*`:
all), also by a cut; `replaced_perhaps`, `perhaps` and `enabled_perhaps` where the moment of a cut
decides; `lies`: what its manager says of an instance is not asked; `settings` and `release` on the
disk; `cores` that are not those declared. Everything else must be as before the step.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pbxfleet.app.compile import compile_fleet
from support.bed_host import PYTHON
from support.nspawn import Bed
from support.pages import BASE
from support.running_site import RELEASE, VERSIONS
from support.standin import PATIENCE_S, make_release, wait_until

PROGRAM = Path(__file__).with_name("bed_facts.py")
KEYS = frozenset(
    (
        *(
            "name",
            "edit",
            "remove",
            "declare",
            "calls",
            "host",
            "run",
            "pbxfleet",
            "gives_way",
            "cut_when_down",
            "code",
            "says",
        ),
        *("started", "stopped", "gone", "running", "enabled", "replaced", "replaced_perhaps"),
        *("perhaps", "enabled_perhaps", "lies", "settings", "release", "cores"),
    )
)
OWN = "203.0.113.2"
LOGIN = '[api]\npassword_file = "/etc/pbx/api-{instance}"'
CIPHER, PASSWORD_MD5 = b"5f4dcc3b5aa765d6", b"c47d187067c6cf953245f128b5fde62a"  # of `word`
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CALLS = "import sys, urllib.request as u; [u.urlopen(a, b'', 9) for a in sys.argv[1:]]"
COMMAND_S = 180.0
HOST = """\
address = "203.0.113.2"
reserve_address = true
addresses = ["203.0.113.10-203.0.113.40"]
cpus = "0-{last}"
rtp = "49152-64511"
ephemeral_ports = "32768-49151"
services = "{services}"
stop_timeout = 2
start_timeout = 15
"""


class Story:
    """A data file, and the repository that it changes as it goes on."""

    def __init__(self, file: Path, repository: Path, services: str) -> None:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        self.steps: list[dict[str, Any]] = told["step"]
        self.sockets: list[str] = told["sockets"]
        self.answers: list[str] = told["answers"]
        self.services, self.repository = services, repository
        self.host: dict[str, object] = {}
        self.instances: dict[str, dict[str, Any]] = {
            name: {"cpu": "off", "sys_name": name} | said
            for name, said in told["instances"].items()
        }
        for step in self.steps:
            assert step.keys() <= KEYS, (step["name"], step.keys() - KEYS)
        self._write_fleet()

    def addresses(self) -> list[str]:
        """What the host must have."""
        return [OWN, *(said["address"] for said in self.instances.values())]

    def edit(self, changes: Mapping[str, Mapping[str, Any]], gone: Iterable[str]) -> None:
        """Change what is declared, and compile."""
        for name, values in changes.items():
            self.instances[name] |= values
        for name in gone:
            (self.repository / f"desired/instances/{name}.toml").unlink()
        for name in changes:
            self._write_instance(name)
        compiled = compile_fleet(str(self.repository))
        assert not compiled.failed, compiled.fleet.diagnostics

    def declare(self, values: Mapping[str, Any]) -> None:
        """Change keys of the host's file; an empty text takes one away."""
        in_three_days = DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
        said = json.dumps(values).replace("{other day}", in_three_days)
        self.host = {k: v for k, v in {**self.host, **json.loads(said)}.items() if v != ""}
        self._write_host()

    def cores(self, name: str, said: str | None = None) -> str:
        """The cores that an instance may use, as the kernel writes them; `said` outweighs its file."""
        usable = sorted(os.sched_getaffinity(0))
        every = f"0-{os.cpu_count() - 1}" if (os.cpu_count() or 1) > 1 else "0"  # type: ignore[operator]
        picked = {"first": str(usable[0]), "last": str(usable[-1])}
        return picked.get(said or self.instances[name]["cpu"], every)

    def _write_fleet(self) -> None:
        desired = self.repository / "desired"
        for folder in ("hosts", "instances", "reference"):
            (desired / folder).mkdir(parents=True)
        base = (BASE / "desired/fleet.toml").read_text(encoding="utf-8")
        head, _, rest = base.partition('[releases."')
        fleet = head + rest[rest.index("[catalogue]") :]
        for version in VERSIONS:
            made = make_release(self.repository / "artefacts" / version, version, PYTHON).sha256s
            pins = {"pbxctrl": made["pbxctrl"], "dat": made["pbxctrl.dat"]}
            fleet += RELEASE.format(version=version, **pins)
        (desired / "fleet.toml").write_text(fleet, encoding="utf-8")
        reference = (BASE / "desired/reference/pbx.xml").read_bytes()
        assert CIPHER in reference
        (desired / "reference/pbx.xml").write_bytes(reference.replace(CIPHER, PASSWORD_MD5))
        self._write_host()
        for name in self.instances:
            self._write_instance(name)
        self.edit({}, ())

    def _write_host(self) -> None:
        host = HOST.format(last=max(os.sched_getaffinity(0)), services=self.services)
        host += "".join(f"{key} = {json.dumps(value)}\n" for key, value in self.host.items())
        (self.repository / "desired/hosts/fra1.toml").write_text(host, encoding="utf-8")

    def _write_instance(self, name: str) -> None:
        said = dict(self.instances[name])
        core, login = said.pop("cpu"), said.pop("login", False)
        cpu = '"off"' if core == "off" else self.cores(name)
        lines = ['host = "fra1"', f'address = "{said.pop("address")}"', f"cpu = {cpu}"]
        lines += [f'release = "{said.pop("release")}"'] if "release" in said else []
        lines += ["[settings]"]
        for key, value in said.items():
            # What only the stand-in knows is in no catalogue.
            own = key.startswith("standin_")
            lines.append(
                f'{key} = {{ value = "{value}", raw = true }}' if own else f'{key} = "{value}"'
            )
        lines += [LOGIN, ""] if login else [""]
        file = self.repository / f"desired/instances/{name}.toml"
        file.write_text("\n".join(lines), encoding="utf-8")


class Teller:
    """Tells a story on a host that is up. `seconds` says afterwards how long each step took."""

    def __init__(self, story: Story, bed: Bed) -> None:
        self.story, self.bed = story, bed
        self.running: set[str] = set()
        self.enabled: set[str] = set()
        self.seen: dict[str, dict[str, Any]] = {}
        self.ordinary = ""
        self.seconds: dict[str, float] = {}

    def tell(self) -> None:
        """Every step in order; AssertionError with the step's name at the first that is not so."""
        for step in self.story.steps:
            begun = time.monotonic()
            self._act(step)
            self._check(step)
            self.seconds[step["name"]] = time.monotonic() - begun

    # --- what is done ----------------------------------------------------------------------

    def _act(self, step: Mapping[str, Any]) -> None:
        if "declare" in step:
            self.story.declare(step["declare"])
        if step.keys() & {"edit", "remove", "declare"}:
            self.story.edit(step.get("edit", {}), step.get("remove", ()))
        if "calls" in step:
            at = {name: self.story.instances[name]["address"] for name in step["calls"]}
            asked = [f"http://{at[n]}/standin/calls?n={c}" for n, c in step["calls"].items()]
            self.bed.run(PYTHON, "-c", CALLS, *asked)
        if "host" in step:
            {"reboot": self.bed.reboot, "power cut": self.bed.power_cut}[step["host"]]()
        if "run" in step:
            run = step["run"]
            text = run if isinstance(run, str) else run[self.story.services]
            services = {name: f"pbx-{name}" for name in self.story.instances}
            for name, service in services.items():
                text = text.replace(f"{{{name}}}", service)
            done = self.bed.run("sh", "-c", text, check=False)
            self._ended({"name": step["name"]} if "pbxfleet" in step else step, done)
        self.bed.gives_way = step.get("gives_way", False)
        if "cut_when_down" in step:
            self._cut(step)
        elif "pbxfleet" in step:
            done = self.bed.python(*self._argv(step), check=False, timeout_s=COMMAND_S)
            self._ended(step, done)

    def _argv(self, step: Mapping[str, Any]) -> tuple[str, ...]:
        return ("-m", "pbxfleet", "-C", str(self.story.repository), *shlex.split(step["pbxfleet"]))

    def _ended(self, step: Mapping[str, Any], done: subprocess.CompletedProcess[str]) -> None:
        assert done.returncode == step.get("code", 0), (step["name"], done)
        said = done.stdout + done.stderr
        for text in step.get("says", ()):
            assert text in said, (step["name"], text, said)

    def _cut(self, step: Mapping[str, Any]) -> None:
        """Take the machine's power as soon as an instance is down in the middle of a command."""
        process = self.bed.path(f"/proc/{self.seen[step['cut_when_down']]['main']}")
        with self.bed.begin(sys.executable, *self._argv(step)) as command:
            wait_until(lambda: not process.exists(), f"{step['name']}: the stop")
            assert command.poll() is None, (step["name"], "it was over before the cut")
            self.bed.power_cut()

    # --- what is so afterwards ---------------------------------------------------------------

    def _check(self, step: Mapping[str, Any]) -> None:
        every = set(self.story.instances)
        self.running = self._set(step, "running", self.running)
        self.running |= set(step.get("started", ()))
        self.running -= {*step.get("stopped", ()), *step.get("gone", ())}
        self.enabled = self._set(step, "enabled", self.enabled) - set(step.get("gone", ()))
        # The command has proved what it did; a service manager is given time to do it.
        patience_s = 0.0 if "pbxfleet" in step and "cut_when_down" not in step else PATIENCE_S
        end = time.monotonic() + patience_s
        while True:
            seen = self._look()
            wrong = [text for name in sorted(every) for text in self._wrong(step, name, seen[name])]
            if not wrong or time.monotonic() > end:
                break
            time.sleep(0.2)
        assert not wrong, (step["name"], wrong)
        self.seen = seen

    def _set(self, step: Mapping[str, Any], key: str, before: set[str]) -> set[str]:
        said = step.get(key)
        if said is None:
            return set(before)
        return set(self.story.instances) if said == ["*"] else set(said)

    def _look(self) -> dict[str, dict[str, Any]]:
        wanted = {
            name: {"directory": f"/usr/local/pbx-{name}", "address": said["address"]}
            for name, said in self.story.instances.items()
        }
        request = json.dumps({"services": self.story.services, "instances": wanted})
        program = PROGRAM.read_text(encoding="utf-8")
        done = self.bed.run(PYTHON, "-IS", "-", request, text_in=program)
        found = json.loads(done.stdout)
        assert found["strays"] == [], "a PBX runs where none is declared"
        self.ordinary = found["urgency"]  # that of process 1, from which services have theirs
        instances: dict[str, dict[str, Any]] = found["instances"]
        return instances

    def _wrong(self, step: Mapping[str, Any], name: str, seen: Mapping[str, Any]) -> list[str]:
        """What is not as the story has it, about one instance."""
        story = self.story
        runs = name in self.running
        if name in step.get("perhaps", ()):
            runs = seen["roots"] > 0
        address = story.instances[name]["address"]
        before = self.seen.get(name, {"processes": []})
        stayed = runs and before["processes"] == seen["processes"]
        core = story.cores(name, step.get("cores", {}).get(name))
        wanted: dict[str, Any] = {
            "roots": 1 if runs else 0,
            # A change of what is declared changes nothing yet for a process that goes on.
            "cpus": before["cpus"] if stayed else [core] if runs else [],
            "urgency": [self.ordinary] if runs else [],
            "sockets": sorted(s.format(address=address) for s in story.sockets) if runs else [],
            "answers": story.answers if runs else [],
        }
        if name not in step.get("lies", ()):
            wanted["active"] = runs
        if name not in step.get("enabled_perhaps", ()):
            wanted["enabled"] = name in self.enabled
        if name in step.get("release", {}):
            wanted["release"] = [step["release"][name]] * 2
        found = [f"{name}: {k} {seen[k]}, not {v}" for k, v in wanted.items() if seen[k] != v]
        for key, value in step.get("settings", {}).get(name, {}).items():
            if seen["settings"].get(key, "") != value:
                found.append(f"{name}: {key} is {seen['settings'].get(key)}, not {value}")
        return found + self._replaced(step, name, seen)

    def _replaced(self, step: Mapping[str, Any], name: str, seen: Mapping[str, Any]) -> list[str]:
        before = self.seen.get(name, {}).get("processes", [])
        both = bool(before) and bool(seen["processes"])
        replaced = both and before != seen["processes"]
        may_be = name in step.get("replaced_perhaps", ())
        must_be = step.get("replaced") == ["*"] or name in step.get("replaced", ())
        if may_be or replaced == (must_be and both):
            return []
        return [f"{name}: {before} became {seen['processes']}"]
