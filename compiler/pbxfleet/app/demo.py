"""The whole loop on this machine: compile, plan, apply, break it, see it, repair it, upgrade, remove."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from pbxfleet.app import demo_fleet as fleet
from pbxfleet.core.errors import Refused
from pbxfleet.host.commands import Ran, Runner
from pbxfleet.host.disk import make_folder, read_file, remove_file, remove_tree, write_file
from pbxfleet.host.local import LocalHost
from pbxfleet.host.terminal import run_on_terminal
from pbxfleet.model.manifest import decode
from pbxfleet.model.target import InstanceTarget

Say = Callable[[str], None]
COMMAND_TIMEOUT_S = 120.0
WILD = 19000  # and the network's number: the port that somebody binds to every address


class Place(NamedTuple):
    """Where the demo works: the repository and the sandbox host's root folder."""

    folder: str
    repository: str
    root: str


class Demo:
    """The acts of the demo, in order. Every command is the installed program, run as a user runs it."""

    def __init__(self, place: Place, say: Say, *, colour: bool) -> None:
        self.place = place
        self.say = say
        self.colour = colour
        # Two demos on one machine do not meet: each has a network of its own, by its process number.
        self.network = 1 + os.getpid() % 250
        self.instances: tuple[InstanceTarget, ...] = ()
        self.runner = Runner()

    def run(self) -> None:
        """Play all acts; whatever happens, no process of the demo is left behind."""
        try:
            for act in (
                self.declare,
                self.first_apply,
                self.nothing_to_do,
                self.break_things,
                self.repair,
                self.upgrade_one,
                self.remove_one,
                self.stop_all,
            ):
                act()
        finally:
            self.sweep()

    def declare(self) -> None:
        """Act 1: a repository, compiled."""
        self.title("1. What shall be: a repository of small files")
        fleet.make_repository(self.place.repository, self.network)
        self.tell(
            "desired/ has one file for the fleet, one for the host and one for each of six instances.",
            "This is all that is written about the instance birch:",
        )
        self.show_file("desired/instances/birch.toml")
        self.tell(
            "compile checks the whole host (no two instances on one socket, no wildcard left over) and",
            "writes what the host shall hold: pbx.xml from the reference file, every bind rebound.",
        )
        self.pbxfleet("compile")
        manifest = read_file(f"{self.place.repository}/rendered/{fleet.HOST}/manifest.json")
        self.instances = tuple(decode(manifest or b"").instances.values())

    def first_apply(self) -> None:
        """Act 2: plan, review, apply exactly that."""
        self.title("2. What will happen: a plan, and an apply that does exactly this plan")
        self.tell("The sandbox host is a folder that plays /. Nothing is there yet.")
        self.pbxfleet("plan", fleet.HOST, "--root", self.place.root, "--out", self.plan_file)
        self.tell("The plan was reviewed; giving the file to apply is the approval.")
        self.pbxfleet("apply", self.plan_file, "--quiet", show=False)
        self.tell("Six PBX processes run. What the kernel says of them, beside what was declared:")
        self.pbxfleet("status", fleet.HOST, "--root", self.place.root)

    def nothing_to_do(self) -> None:
        """Act 3: idempotence."""
        self.title("3. Twice in a row changes nothing")
        self.pbxfleet("plan", fleet.HOST, "--root", self.place.root, "--detailed-exitcode")
        self.pbxfleet("drift", fleet.HOST, "--root", self.place.root)
        self.tell("drift prints nothing and exits 0, so that cron mails nothing.")

    def break_things(self) -> None:
        """Act 4: three people change the host behind the repository's back."""
        self.title("4. Three things happen at night")
        self.tell("a) An administrator of ash changes a setting on the web page (a REST call):")
        self.post_setting("ash", {"sys_name": "Changed by hand", "timezone": "Europe/Rome"})
        self.tell("b) The process of birch is killed:")
        self.kill("birch")
        self.tell("c) Somebody binds cedar to every address and starts it by hand:")
        self.start_on_wildcard("cedar")
        self.tell(
            "", "drift names all three, and says nothing about timezone: nobody declared it, so"
        )
        self.tell("it belongs to the PBX and its administrators.")
        self.pbxfleet("drift", fleet.HOST, "--root", self.place.root, expect=2)

    def repair(self) -> None:
        """Act 5: apply repairs, and proves it."""
        self.title("5. apply repairs what was declared, and only that")
        self.pbxfleet("apply", fleet.HOST, "--root", self.place.root, "--auto-approve", "--quiet")
        self.pbxfleet("drift", fleet.HOST, "--root", self.place.root)
        text = self.live_settings("ash")
        kept = "kept" if "Europe/Rome" in text else "LOST"
        self.tell(f"The administrator's time zone was {kept}: {line_of(text, 'timezone')}")
        if kept == "LOST":
            raise Refused("the demo found that a foreign setting was lost")

    def upgrade_one(self) -> None:
        """Act 6: each instance has its own executable."""
        self.title("6. One instance is upgraded alone")
        fleet.write_instance(self.place.repository, "dogwood", self.address("dogwood"), "70.6")
        self.show_file("desired/instances/dogwood.toml")
        self.pbxfleet("compile")
        self.pbxfleet("plan", fleet.HOST, "--root", self.place.root)
        self.pbxfleet(
            "apply", fleet.HOST, "--root", self.place.root, "--auto-approve", "--quiet", show=False
        )
        for name in ("cedar", "dogwood"):
            version = self.get_status(name).get("version", "?")
            self.tell(f"{name} now runs version {version}")

    def remove_one(self) -> None:
        """Act 7: removal is confirmed by the name, and keeps the data."""
        self.title("7. One instance is removed; its data are kept")
        remove_file(f"{self.place.repository}/desired/instances/fir.toml")
        self.pbxfleet("compile")
        self.tell("On a terminal apply asks for the name of what is removed. Here it is typed:")
        self.typed("fir", "apply", fleet.HOST, "--root", self.place.root, "--quiet")
        kept = read_file(f"{self.place.root}/usr/local/pbx-fir/pbx.xml") is not None
        self.tell(f"/usr/local/pbx-fir is {'still there' if kept else 'GONE'}, its process is not.")

    def stop_all(self) -> None:
        """Act 8: the policy guards, and then everything stops cleanly."""
        self.title("8. A guard, and the end")
        for name in fleet.INSTANCES[:-1]:
            remove_file(f"{self.place.repository}/desired/instances/{name}.toml")
        self.pbxfleet("compile", show=False)
        self.tell(
            "All instance files are gone: a mistake? The deletion budget of the fleet is 1, so:"
        )
        self.pbxfleet(
            "apply", fleet.HOST, "--root", self.place.root, "--auto-approve", "--quiet", expect=8
        )
        self.tell(
            "Both are said in a reviewed change (budget, empty_hosts), and the same command stops them all:"
        )
        fleet.raise_budget(self.place.repository, len(fleet.INSTANCES))
        self.pbxfleet("compile", show=False)
        self.pbxfleet(
            "apply", fleet.HOST, "--root", self.place.root, "--auto-approve", "--quiet", show=False
        )
        self.tell("Done: no process is left.")

    @property
    def plan_file(self) -> str:
        """Where the reviewed plan is stored."""
        return f"{self.place.folder}/plan.json"

    def title(self, text: str) -> None:
        """Head of an act."""
        self.say(f"\n\x1b[1m{text}\x1b[0m" if self.colour else f"\n{text}\n{'-' * len(text)}")

    def tell(self, *lines: str) -> None:
        """Sentences between commands."""
        for line in lines:
            self.say(line)

    def show_file(self, name: str) -> None:
        """A file of the repository, indented."""
        content = (read_file(f"{self.place.repository}/{name}") or b"").decode()
        self.say(f"  $ cat {name}")
        for line in content.splitlines():
            if line:
                self.say(f"    {line}")

    def pbxfleet(self, *words: str, expect: int = 0, show: bool = True) -> Ran:
        """Run the installed program; its exit code must be the expected one."""
        self.say(f"  $ pbxfleet {' '.join(self._short(w) for w in words)}")
        result = self.runner.run(
            (sys.executable, "-m", "pbxfleet", "-C", self.place.repository, *words),
            timeout_s=COMMAND_TIMEOUT_S,
        )
        self._print(result, show=show or result.returncode != expect)
        if result.returncode != expect:
            raise Refused(f"the demo expected exit code {expect} and got {result.returncode}")
        if expect:
            self.say(f"    (exit code {result.returncode})")
        return result

    def typed(self, answer: str, *words: str) -> None:
        """Run the program on a terminal of its own and type an answer."""
        self.say(f"  $ pbxfleet {' '.join(self._short(w) for w in words)}")
        argv = (sys.executable, "-m", "pbxfleet", "-C", self.place.repository, *words)
        result = run_on_terminal(argv, answer + "\n", COMMAND_TIMEOUT_S)
        self._print(result, show=True)
        if result.returncode:
            raise Refused(f"the demo expected exit code 0 and got {result.returncode}")

    def _print(self, result: Ran, *, show: bool) -> None:
        if show:
            for line in (result.stdout + result.stderr).splitlines():
                self.say(f"    {self._short(line)}".rstrip())

    def _short(self, text: str) -> str:
        return text.replace(self.place.root, "$HOST").replace(self.place.folder, "$DEMO")

    def post_setting(self, name: str, settings: dict[str, str]) -> None:
        """Change settings the way the PBX's own web page does."""
        data = json.dumps(settings)
        address = self.address(name)
        self.say(f"  $ curl http://{address}:{fleet.HTTP}/rest/system/config -d '{data}'")
        _call(address, "config", data.encode())

    def get_status(self, name: str) -> dict[str, object]:
        """The status call of one instance."""
        found = json.loads(_call(self.address(name), "status"))
        return found if isinstance(found, dict) else {}

    def kill(self, name: str) -> None:
        """Kill the main process of an instance, found in the kernel's tables by its own executable."""
        pid = self.pid_of(name)
        self.say(f"  $ kill -9 {pid}")
        os.kill(pid, signal.SIGKILL)
        self._wait_gone(name)

    def start_on_wildcard(self, name: str) -> None:
        """Stop an instance, bind its web port to every address, and start it by hand."""
        os.kill(self.pid_of(name), signal.SIGTERM)
        self._wait_gone(name)
        directory = f"{self.place.root}/usr/local/pbx-{name}"
        path = f"{directory}/pbx.xml"
        text = (read_file(path) or b"").decode()
        bind = f"<ip_http_port>{self.address(name)}:{fleet.HTTP}</ip_http_port>"
        wild = f"<ip_http_port>{WILD + self.network}</ip_http_port>"
        text = text.replace(bind, wild)
        write_file(path, text.encode(), 0o600)
        self.say(f"  $ sed -i 's|{bind}|{wild}|' $HOST/usr/local/pbx-{name}/pbx.xml")
        self.say(f"  $ $HOST/usr/local/pbx-{name}/pbxctrl --dir $HOST/usr/local/pbx-{name}")
        self.runner.check((f"{directory}/pbxctrl", "--dir", directory), timeout_s=COMMAND_TIMEOUT_S)

    def live_settings(self, name: str) -> str:
        """The text of an instance's pbx.xml on the host."""
        return (read_file(f"{self.place.root}/usr/local/pbx-{name}/pbx.xml") or b"").decode()

    def address(self, name: str) -> str:
        """The loopback address of an instance in this demo."""
        return fleet.address_of(name, self.network)

    def pid_of(self, name: str) -> int:
        """The main process of an instance."""
        trees = self._runtime()[name]
        if not trees:
            raise Refused(f"the demo expected {name} to run")
        return trees[0]

    def _runtime(self) -> dict[str, list[int]]:
        machine = LocalHost(self.place.root, "direct")
        found = machine.runtime(self.instances)
        return {n: [pid for tree in seen.trees for pid in tree.pids] for n, seen in found.items()}

    def _wait_gone(self, name: str) -> None:
        for _ in range(200):
            if not self._runtime()[name]:
                return
            time.sleep(0.05)
        raise Refused(f"the demo expected {name} to end")

    def sweep(self) -> None:
        """End what an interrupted demo left behind: processes that execute from the sandbox folder."""
        for pids in self._runtime().values():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def line_of(text: str, name: str) -> str:
    """The line of a pbx.xml that holds an element."""
    return next((line.strip() for line in text.splitlines() if f"<{name}>" in line), "")


def _call(address: str, what: str, data: bytes | None = None) -> bytes:
    """One REST call to an instance of the demo; the answer's body."""
    from http.client import HTTPConnection

    login = base64.b64encode(f"admin:{fleet.WEB_PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    connection = HTTPConnection(address, fleet.HTTP, timeout=10)
    try:
        method = "GET" if data is None else "POST"
        connection.request(method, f"/rest/system/{what}", data, headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def demo(folder: str, say: Say, *, keep: bool, colour: bool) -> None:
    """Run the demo in `folder`, which must be new or empty; it is removed at the end unless `keep`."""
    make_folder(folder)
    place = Place(folder, f"{folder}/fleet", f"{folder}/host")
    make_folder(place.root)
    try:
        Demo(place, say, colour=colour).run()
    finally:
        if not keep:
            remove_tree(folder)
