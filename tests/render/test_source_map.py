"""Every rendered line has a source, and a source is what its line depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbxfleet.app.source_map import RenderedFile, SourceMap, source_map
from pbxfleet.core.errors import Refused
from pbxfleet.model.source_map import FileSources, LineSources, Source
from pbxfleet.render.sources.trace import changed_lines
from support.pages import laid_over
from support.source_fleet import changed_at, files_of, map_of, text_at
from support.tree import PACKAGE, ROOT

TEMPLATES = PACKAGE / "render" / "templates"
# Of each kind of file one instance of a host of the example fleet is enough; the others are like it.
LIKE_OTHERS = ("birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "iris", "juniper")
NAME = "name of the file"
SECRET = "settings.pw_pass"  # its value comes from the host: the line stays as the reference has it


def all_files(known: SourceMap, hosts: tuple[str, ...]) -> Iterator[FileSources]:
    for host in hosts:
        for name in known.names(host):
            if not any(other in name for other in LIKE_OTHERS):
                yield known.lines(RenderedFile(host, name))


def without_a_place(repository: Path, line: LineSources) -> str:
    """What is wrong with the places of a line, "" if nothing is."""
    for span in line.spans:
        path = repository / span.file
        if not path.is_file() or span.line > len(path.read_bytes().split(b"\n")):
            return f"{span} is not there"
    own = [w for w in line.written_by if w.own]
    for written in own:
        if not 1 <= written.line <= len((TEMPLATES / written.file).read_text().split("\n")):
            return f"{written} is not there"
    return "" if line.spans else "no place at all"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fleet")


@cache
def everything(folder: Path) -> tuple[FileSources, ...]:
    """All lines of the small fleet."""
    return tuple(all_files(map_of(folder, files_of()), ("fra1",)))


@pytest.mark.parametrize("fleet", ["example", "systemd"])
def test_every_line_has_a_place_that_is_there(fleet: str, folder: Path) -> None:
    repository, files = folder, everything(folder)
    if fleet == "example":
        repository, files = ROOT, tuple(all_files(source_map(str(ROOT)), ("ber1", "fra1")))
    wrong, lines = [], 0
    for found in files:
        assert len(found.lines) == found.length
        lines += found.length
        told = ((line, without_a_place(repository, line)) for line in found.lines)
        wrong += [f"{found.path}:{line.number}: {text}" for line, text in told if text]
    assert wrong == []
    assert lines > 500


@pytest.mark.parametrize("services", ["compose", "windows"])
def test_every_line_has_a_place_with_other_service_managers(services: str, tmp_path: Path) -> None:
    files = tuple(all_files(map_of(tmp_path, files_of(services)), ("fra1",)))
    own = [found for found in files if not found.path.endswith((".json", "pbx.xml"))]
    wrong = [
        f"{found.path}:{line.number}: {text}"
        for found in files
        for line in found.lines
        if (text := without_a_place(tmp_path, line))
    ]
    assert wrong == [] and sum(found.length for found in own) > 40


def test_lines_that_a_template_has_as_they_are_come_from_that_line(folder: Path) -> None:
    seen = 0
    for found in everything(folder):
        for line in found.lines:
            for written in line.written_by[:1]:
                file = (TEMPLATES if written.own else folder) / written.file
                source = file.read_text().split("\n")[written.line - 1]
                as_it_is = not any(sign in source for sign in ("{", "00000000"))
                if as_it_is and not found.path.endswith(("pbx.xml", "pbx-backup-restic")):
                    assert line.text == source
                    seen += 1
    assert seen > 60


@cache
def explained(folder: Path) -> tuple[tuple[str, LineSources, Source], ...]:
    """Every value in every line of the small fleet that stands in a file, with the path of the line."""
    return tuple(
        (found.path, line, source)
        for found in everything(folder)
        if not found.path.endswith(".json")
        for line in found.lines
        for source in line.sources
        if not source.is_default and source.what not in (NAME, SECRET)
    )


def lines_now(folder: Path, files: Mapping[str, bytes], path: str) -> list[str] | None:
    """The lines of a file as these files compile to it, None if it is not compiled."""
    known = map_of(folder, files)
    _, host, name = path.split("/", 2)
    if name not in known.names(host):
        return None
    return known.text(RenderedFile(host, name)).split("\n")


@settings(max_examples=25)
@given(data=st.data())
def test_another_value_at_a_source_makes_another_line(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path, line, source = data.draw(st.sampled_from(explained(folder)))
    files = files_of()
    mutated = changed_at(files, source.span)
    assert mutated != files
    other = tmp_path_factory.mktemp("changed")
    try:
        now = lines_now(other, mutated, path)
    except Refused:
        return  # the checks do not let it happen: nothing is compiled
    before = lines_now(folder, files, path)
    assert before is not None
    assert now is None or line.number - 1 in changed_lines(before, now), (path, line, source)


def test_what_stands_in_a_line_is_named_as_the_format_names_it(tmp_path: Path) -> None:
    files = files_of()
    known = map_of(tmp_path, files)
    unit = known.lines(RenderedFile("fra1", "root/etc/systemd/system/pbx-alpha.service"))
    words = {
        line.text: [(s.what, text_at(files, s.span)) for s in line.sources if not s.is_default]
        for line in unit.lines
    }
    assert words["CPUAffinity=3"] == [("affinity", '"unit"'), ("cpu", "3")]
    assert words["TimeoutStopSec=40"] == [("stop_timeout", "40")]
    assert ("hardening", "true") in words["NoNewPrivileges=yes"]
    assert words["[Install]"] == []


def test_what_the_whole_manifest_says_comes_from_values(tmp_path: Path) -> None:
    files = files_of()
    manifest = map_of(tmp_path, files).lines(RenderedFile("fra1", "manifest.json"))
    told = {
        line.text.strip().partition(":")[0]: [text_at(files, s.span) for s in line.sources]
        for line in manifest.lines
    }
    assert told['"fleet"'] == ['"example"']
    assert told['"services"'] == ['"systemd"']
    own = ['"203.0.113.2"', '"203.0.113.10"', '"203.0.113.11"', '"2001:db8:1::11"']
    assert told['"addresses"'] == own


def test_a_default_says_that_nothing_says_it(tmp_path: Path) -> None:
    known = map_of(tmp_path, laid_over({}))
    unit = known.lines(RenderedFile("fra1", "root/etc/systemd/system/pbx-alpha.service"))
    stop = next(line for line in unit.lines if line.text.startswith("TimeoutStopSec="))
    assert [(s.what, s.is_default) for s in stop.sources] == [("stop_timeout", True)]


def test_lines_of_pbx_xml_know_their_layers_and_their_reference_line(tmp_path: Path) -> None:
    files = files_of()
    known = map_of(tmp_path, files)
    found = known.lines(RenderedFile("fra1", "root/usr/local/pbx-beta/pbx.xml"))
    line = next(one for one in found.lines if "sip_udp_port" in one.text)
    assert [text_at(files, s.span) for s in line.sources] == [
        "5070",
        '"203.0.113.11"',
        '"2001:db8:1::11"',
    ]
    assert text_at(files, line.sources[0].overrode[0]) == "5060"
    (written,) = line.written_by
    reference = files["desired/reference/pbx.xml"].decode().split("\n")
    assert "sip_udp_port" in reference[written.line - 1]


def test_asking_for_one_line_says_the_same_as_asking_for_all(tmp_path: Path) -> None:
    known = map_of(tmp_path, files_of())
    for name in ("root/etc/pbxfleet/firewall.nft", "root/etc/pbx/backup.list", "manifest.json"):
        file = RenderedFile("fra1", name)
        whole = known.lines(file)
        for number in (1, whole.length):
            assert known.lines(file, (number,)).lines == (whole.lines[number - 1],)


def test_the_same_question_has_the_same_answer(tmp_path: Path) -> None:
    file = RenderedFile("fra1", "root/etc/pbx/save/pbx-backup-restic")
    first = map_of(tmp_path / "one", files_of()).lines(file)
    assert map_of(tmp_path / "two", files_of()).lines(file) == first


@pytest.mark.parametrize(
    ("name", "numbers", "code"),
    [("root/etc/pbx/backup.lst", None, "MAP101"), ("manifest.json", (0,), "MAP102")],
)
def test_what_is_not_there_is_refused(
    tmp_path: Path, name: str, numbers: tuple[int, ...] | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        map_of(tmp_path, files_of()).lines(RenderedFile("fra1", name), numbers)
    assert refused.value.code == code


def test_lines_that_moved_are_not_changed() -> None:
    before = ["a", "b", "c", "c", "d"]
    assert changed_lines(before, ["x", "a", "b", "c", "c", "d"]) == frozenset()
    assert changed_lines(before, ["a", "c", "c", "b", "d"]) == {1}
    assert changed_lines(before, ["a", "b", "c", "d"]) < {2, 3}
    assert changed_lines(before, []) == {0, 1, 2, 3, 4}
