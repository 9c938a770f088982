"""Applied records: the same after they were stored, refused when damaged, digests only."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.paths import HostPath
from pbxfleet.host.wrap import RecordingHost
from pbxfleet.model.applied import decode_record, element_digest, encode_record
from support.machine import applied, apply_to, plan_of, records_on
from support.targets import Seeded, Wish, fleet
from support.worlds import wishes

RECORD = records_on(
    applied(fleet(Wish("alpha", cpu=1, rtp=(30000, 31000), settings={"x": Seeded("1")})))
)["alpha"]


@given(wishes())
def test_a_record_is_the_same_after_it_was_stored(wanted: tuple[Wish, ...]) -> None:
    for record in records_on(applied(fleet(*wanted))).values():
        assert decode_record(encode_record(record)) == record
        assert encode_record(decode_record(encode_record(record))) == encode_record(record)


def test_the_declaration_is_remembered_without_its_place() -> None:
    assert RECORD.declared is not None and RECORD.declared.origin == ""
    assert RECORD.declared._replace(origin="x") == fleet(
        Wish("alpha", cpu=1, rtp=(30000, 31000))
    ).target.instances["alpha"]._replace(origin="x")


def test_release_files_that_were_read_need_not_be_read_again() -> None:
    target = fleet(Wish("alpha"))
    machine = applied(target)
    stats = [
        r.stat for r in records_on(machine)["alpha"].resources.values() if r.kind == "artefact"
    ]
    paths = [Wish("alpha").pbxctrl, HostPath("/srv/pbx-alpha/pbxctrl.dat")]
    assert stats == [machine.identity(p) for p in paths]
    machine.lose_record("alpha")
    apply_to(target, machine)
    adopted = records_on(machine)["alpha"].resources.values()
    assert stats == [r.stat for r in adopted if r.kind == "artefact"], "adopted ones just the same"


def test_a_release_file_that_changes_while_it_is_read_is_read_again_next_time() -> None:
    target = fleet(Wish("alpha"))
    machine = applied(target)
    machine.lose_record("alpha")
    path = Wish("alpha").pbxctrl

    class Busy(RecordingHost):
        def pause(self, seconds: float) -> None:
            machine.set_attributes(path, 0o755, "root:root")

    apply_to(target, Busy(machine))
    resources = records_on(machine)["alpha"].resources
    assert resources[f"artefact:{path}"].stat is None
    assert resources["artefact:/srv/pbx-alpha/pbxctrl.dat"].stat is not None


def test_a_release_file_that_is_another_one_by_now_is_not_remembered() -> None:
    target = fleet(Wish("alpha"))
    machine = applied(target)
    machine.lose_record("alpha")
    path = Wish("alpha").pbxctrl

    class Busy(RecordingHost):
        def identity(self, subject: HostPath) -> tuple[int, int, int, int, int] | None:
            if subject == path and self.machine_is_ours:
                self.machine_is_ours = False
                machine.write(path, b"another", 0o755, "root:root")
            return super().identity(subject)

        machine_is_ours = True

    apply_to(target, Busy(machine))
    assert records_on(machine)["alpha"].resources[f"artefact:{path}"].stat is None
    assert plan_of(target, machine).restarts() == ("alpha",)


def test_fields_are_digests_or_words() -> None:
    fields = RECORD.resources["settings:/srv/pbx-alpha/pbx.xml"].fields
    assert fields["sys_name"] == element_digest("Alpha")
    assert fields["old_switch"] is None
    assert fields["x"] == fields["log_length"] == "seeded"
    assert fields["pw_pass"] == "secret"


def test_a_record_cut_short_anywhere_is_refused() -> None:
    content = encode_record(RECORD)
    for length in range(0, len(content) - 1, 7):
        with pytest.raises(ValueError):
            decode_record(content[:length])


@given(st.data())
def test_a_record_with_a_part_exchanged_is_refused_or_read(data: st.DataObject) -> None:
    raw = json.loads(encode_record(RECORD))
    key = data.draw(st.sampled_from(sorted(raw)))
    raw[key] = data.draw(st.sampled_from([None, 7, "x", [], {}, [1], {"a": 1}, [[[]]]]))
    try:
        decode_record(json.dumps(raw).encode())
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        decode_record(content)


def test_absent_and_empty_are_different_values() -> None:
    assert element_digest(None) is None
    assert element_digest("") is not None
    assert element_digest("a") != element_digest("b")
    assert element_digest("\ud800") is not None, "whatever the host says"
