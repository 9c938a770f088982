"""What a plan costs a host on which there is nothing to do: counted, not timed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from pbxfleet.observe.observe import observe
from pbxfleet.plan.diff import diff
from pbxfleet.plan.make import make_basis, make_plan
from pbxfleet.report.plan_json import plan_data
from pbxfleet.report.plan_text import plan_text
from support.machine import Machine, applied, records_on
from support.targets import Wish, fleet

HEAVY = {"lxml", "deepdiff", "pydantic", "yaml", "jinja2", "git", "tomllib", "tree_sitter"}
SLOW = {"asyncio", "logging", "subprocess", "email", "urllib", "xml", "unittest"}


class Counted:
    """A host that counts what it is asked, by the name of the question."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.asked: Counter[str] = Counter()
        self.read_paths: list[str] = []

    def __getattr__(self, name: str) -> Any:
        answer = getattr(self.machine, name)
        if not callable(answer):
            return answer

        def ask(*arguments: Any) -> Any:
            self.asked[name] += 1
            if name == "read":
                self.read_paths.append(arguments[0])
            return answer(*arguments)

        return ask


def look(count: int) -> tuple[Counter[str], Counter[str]]:
    """Questions to the host and to the contents for a plan of so many instances."""
    wishes = [Wish(f"i{n:03}", f"192.0.2.{n + 1}", cpu=n % 4) for n in range(count)]
    target = fleet(*wishes, services="systemd")
    machine = applied(target, "systemd")
    records = records_on(machine)
    target.contents.asked = Counter()
    view = Counted(machine)
    observed = observe(view, target.target, records, target.contents.fields)
    difference = diff(target.target, observed, records, target.contents.fields)
    plan = make_plan(target.target, observed, records, difference, "/")
    assert plan.is_empty and not plan.changes
    assert not [path for path in view.read_paths if path.endswith("pbx.xml")]
    make_basis(target.target, observed, records, target.contents.fields)
    return view.asked, Counter(target.contents.asked)


def test_questions_to_the_host_grow_with_the_instances_and_no_faster() -> None:
    (few, _), (some, _), (many, _) = look(4), look(8), look(16)
    for name in few:
        assert many[name] - some[name] == 2 * (some[name] - few[name]), name
    per_instance = (sum(some.values()) - sum(few.values())) / 4
    assert per_instance <= 7, "one look a file, one identity a release file"
    assert some["service_states"] == some["running"] == 1
    assert "runtime" not in some and "foreign_sockets" not in some, "one pass over the processes"


def test_no_content_of_the_target_is_asked_for() -> None:
    _, contents = look(4)
    assert not +contents


def test_nothing_to_do_needs_no_xml_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    target = fleet(Wish("alpha"))
    machine = applied(target)
    records = records_on(machine)
    for name in [m for m in sys.modules if m.startswith(("pbxfleet.pbx", "lxml"))]:
        monkeypatch.setitem(sys.modules, name, None)  # whoever imports it now fails
    observed = observe(machine, target.target, records, target.contents.fields)
    difference = diff(target.target, observed, records, target.contents.fields)
    plan = make_plan(target.target, observed, records, difference, "/")
    assert plan_text(plan) == "fra1: nothing to do\n"
    assert plan_data(plan)["outcome"] == "nothing_to_do"


@pytest.mark.parametrize(
    "modules",
    [
        ("pbxfleet.observe.observe", "pbxfleet.plan.diff", "pbxfleet.plan.make"),
        ("pbxfleet.report.plan_text", "pbxfleet.report.plan_json"),
        ("pbxfleet.plan.drift", "pbxfleet.report.drift", "pbxfleet.report.status"),
    ],
)
def test_a_fresh_process_loads_nothing_heavy(modules: tuple[str, ...]) -> None:
    names = ", ".join(modules)
    code = f"import sys; at_first = {{*sys.modules}}; import {names}; print(*{{*sys.modules}} - at_first)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & (HEAVY | SLOW)
