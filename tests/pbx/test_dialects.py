"""Every file of `dialects/` is read and edited as the files beside it say.

A case is one file; `read/<name>.txt` and `edited/<name>.xml` come from `--update-golden`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.pbx.pbx_xml import PbxXmlError, edit, read, values
from support.xml_spans import cut

HERE = Path(__file__).parent
DIALECTS = sorted((HERE / "dialects").glob("*.xml"))
REFUSED = sorted((HERE / "refused").glob("*.xml"))
EDITS = {
    "ip_http_port": "203.0.113.7:80",
    "sys_name": "Zoë & <Co>",
    "log_filename": None,
    "syslog_prefix": "acme",
    "extra": "",
}


def compare(expected: Path, found: bytes, *, update: bool) -> None:
    if update:
        expected.parent.mkdir(exist_ok=True)
        expected.write_bytes(found)
    assert found == expected.read_bytes()


def reading(content: bytes) -> str:
    """What `read` tells, one setting a line."""
    found = read(content)
    lines = [f"{found.encoding} {found.root}"]
    for setting in found.settings:
        place = f"{setting.line}:{setting.column}-{setting.end_line}:{setting.end_column}"
        marks = " encrypted" * setting.encrypted + f" [{setting.why_not}]" * (not setting.editable)
        lines.append(f"{place} {setting.name} = {setting.value!a}{marks}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", DIALECTS, ids=lambda path: path.stem)
class TestDialect:
    def test_is_read(self, path: Path, update_golden: bool) -> None:
        found = reading(path.read_bytes()).encode()
        compare(HERE / "read" / f"{path.stem}.txt", found, update=update_golden)

    def test_is_edited(self, path: Path, update_golden: bool) -> None:
        found = edit(path.read_bytes(), EDITS)
        compare(HERE / "edited" / path.name, found, update=update_golden)
        assert edit(found, EDITS) == found

    def test_values_agree_with_read(self, path: Path) -> None:
        content = path.read_bytes()
        settings = read(content).settings
        assert values(content, [*(setting.name for setting in settings), "absent"]) == {
            setting.name: setting.value if setting.editable else None for setting in settings
        }

    def test_each_setting_alone_changes_nothing_else(self, path: Path) -> None:
        content = path.read_bytes()
        before = cut(content)
        for number, setting in enumerate(read(content).settings):
            if not setting.editable:
                continue
            assert edit(content, {setting.name: setting.value}) is content
            after = cut(edit(content, {setting.name: "another & one"}))
            assert after.gaps == before.gaps
            for position, (old, new) in enumerate(
                zip(before.elements, after.elements, strict=True)
            ):
                if position != number:
                    assert new == old
                elif old.content is not None:
                    assert (new.head, new.tail) == (old.head, old.tail)

    def test_adding_and_removing_again_gives_the_same_bytes(self, path: Path) -> None:
        content = path.read_bytes()
        if read(content).settings:
            added = edit(content, {"added-1": "x", "added-2": ""})
            assert added != content
            assert edit(added, {"added-1": None, "added-2": None}) == content


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_a_broken_file_is_refused_at_its_place(path: Path, update_golden: bool) -> None:
    content = path.read_bytes()
    with pytest.raises(PbxXmlError) as caught:
        read(content)
    error = caught.value
    place = f"{error.line}:{error.column}-{error.end_line}:{error.end_column}"
    found = f"{place} {error.code} {error.message}\nhint: {error.hint}\n"
    compare(path.with_suffix(".txt"), found.encode(), update=update_golden)
    with pytest.raises(PbxXmlError) as again:
        edit(content, {"sys_name": "x"})
    assert str(again.value) == str(error)


def test_there_are_many_cases() -> None:
    assert len(DIALECTS) >= 25
    assert len(REFUSED) >= 25


def test_no_expectation_is_left_over() -> None:
    names = {path.stem for path in DIALECTS}
    assert {path.stem for path in (HERE / "read").iterdir()} == names
    assert {path.stem for path in (HERE / "edited").iterdir()} == names
    assert {path.stem for path in (HERE / "refused").glob("*.txt")} == {
        path.stem for path in REFUSED
    }
