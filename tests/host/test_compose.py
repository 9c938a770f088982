"""Containers: the engine asked with recorded answers; what is commanded, word by word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import Ran, Runner
from pbxfleet.host.files import Files
from pbxfleet.host.owners import Owners
from pbxfleet.host.proc import Processes
from pbxfleet.host.rooted import Root
from pbxfleet.host.services import Parts, backend
from pbxfleet.host.services.compose import Compose, ContainerSeen, engine_of, parse_inspect
from pbxfleet.model.observed import ServiceSeen
from pbxfleet.model.services import ComposeProgram
from support.instances import instance

A, B, C = instance("a"), instance("b"), instance("c")
FILE = f"/etc/pbx/compose/{A.service}/compose.yaml"


class Engine(Runner):
    """Containers by name, as an engine tells them; remembers what was asked."""

    def __init__(self, containers: dict[str, str]) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.containers = containers
        self.then: Callable[[tuple[str, ...]], None] = lambda argv: None

    def run(self, argv: tuple[str, ...], timeout_s: float = 60) -> Ran:
        self.asked.append(argv)
        if argv[1] == "ps":
            return Ran(argv, 0, "".join(f"{name}\n" for name in self.containers), "")
        if argv[1] == "inspect":
            return Ran(argv, 0, "".join(f"{self.containers[n]}\n" for n in argv[6:]), "")
        self.then(argv)
        return Ran(argv, 0, "", "")


def manager(folder: Path, engine: Runner, program: str = "docker compose", **says: bool) -> Compose:
    files = Files(Root(str(folder)), Owners(matter=False))
    live = says.get("live", True)
    made = backend("compose", Parts(files, engine, Processes(files.root), live, True, program))
    assert isinstance(made, Compose)
    return made


def put_file(folder: Path) -> None:
    path = folder / FILE[1:]
    path.parent.mkdir(parents=True)
    path.write_text("services: {}\n")


def line(name: str, state: str = "true\t7", policy: str = "always") -> str:
    return f"/{name}\t{state}\t{policy}"


@pytest.mark.parametrize("program", list(ComposeProgram))
def test_the_engine_is_the_one_of_the_program(program: str) -> None:
    assert engine_of(program) in ("docker", "podman")
    assert program.startswith(engine_of(program))


def test_what_engines_say_is_read() -> None:
    # The first as Docker writes it, the second as Podman does.
    assert parse_inspect("/pbx-a\ttrue\t812\talways\npbx-b\tfalse\t0\tno\n") == {
        "pbx-a": ContainerSeen(True, 812, "always"),
        "pbx-b": ContainerSeen(False, None, "no"),
    }


def test_a_thousand_instances_are_a_few_questions(tmp_path: Path) -> None:
    many = [instance(f"i{n}") for n in range(450)]
    engine = Engine({i.service: line(i.service) for i in many})
    seen = manager(tmp_path, engine).seen(many)
    assert set(seen.values()) == {ServiceSeen(True, True, True, 7)}
    assert [argv[1] for argv in engine.asked] == ["ps", "inspect", "inspect", "inspect"]


def test_only_a_container_that_exists_starts_with_the_machine(tmp_path: Path) -> None:
    stopped = line(A.service, "false\t0", "unless-stopped")
    by_hand = line(B.service, "true\t9", "no")
    seen = manager(tmp_path, Engine({A.service: stopped, B.service: by_hand})).seen((A, B, C))
    assert seen == {
        "a": ServiceSeen(True, True, False, None),
        "b": ServiceSeen(True, False, True, 9),
        "c": ServiceSeen(False, False, False, None),
    }


def test_commands_are_those_of_one_project(tmp_path: Path) -> None:
    put_file(tmp_path)
    engine = Engine({A.service: line(A.service)})
    made = manager(tmp_path, engine)
    made.enable(A)
    made.start(A)
    made.stop(A, 30)
    made.disable(A)
    made.reload()
    project = ("--project-name", A.service, "--file", f"{tmp_path}{FILE}")
    acting = [argv for argv in engine.asked if argv[1] not in ("ps", "inspect")]
    assert acting == [
        ("docker", "compose", *project, "up", "--no-start"),
        ("docker", "compose", *project, "up", "--detach"),
        ("docker", "stop", "-t", "30", A.service),
        ("docker", "rm", "--force", A.service),
    ]


def test_what_is_not_there_is_neither_stopped_nor_removed(tmp_path: Path) -> None:
    engine = Engine({})
    made = manager(tmp_path, engine, "podman-compose")
    made.stop(A, 30)
    made.disable(A)
    assert {argv[:2] for argv in engine.asked} == {("podman", "ps")}


def test_a_container_that_will_not_start_with_the_machine_is_an_error(tmp_path: Path) -> None:
    put_file(tmp_path)
    with pytest.raises(HostError, match="nothing starts it"):
        manager(tmp_path, Engine({})).enable(A)
    with pytest.raises(HostError, match="no compose file"):
        manager(tmp_path, Engine({})).start(B)


def test_below_a_root_folder_there_is_no_engine(tmp_path: Path) -> None:
    engine = Engine({})
    made = manager(tmp_path, engine, live=False)
    assert made.seen((A,))["a"] == ServiceSeen(False, False, False, None)
    put_file(tmp_path)
    made.enable(A)
    made.disable(A)
    assert made.seen((A,))["a"] == ServiceSeen(True, True, False, None)
    for act in (lambda: made.start(A), lambda: made.stop(A, 1)):
        with pytest.raises(HostError) as refused:
            act()
        assert refused.value.code == "HST109"
    assert (made.runs, engine.asked) == (False, [])
