"""The generations of a host: written when a run ends, read by `history` and `rollback`.

Each has three records: what it was (`.json`), the journal with the inverse of every step (`.journal`),
and the compiled target with all its files (`.zip`, written before the run begins). What the inverses
need is kept under digests, once for all of them; whatever no generation needs any more goes. The digests
that each needs are a fourth record (`.needs`), so that nobody has to read the others to know.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping

from pbxfleet import __version__
from pbxfleet.app.contents import Tree
from pbxfleet.app.record_names import GENERATIONS as GENERATION_RECORDS
from pbxfleet.apply.inverse import kept_contents
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import join
from pbxfleet.host.clock import now
from pbxfleet.host.state import KEPT, RECORDS, State, StateView
from pbxfleet.host.who import operator
from pbxfleet.model.generation import (
    APPLIED,
    APPLY,
    PARTLY,
    REVERTED,
    ROLLBACK,
    Generation,
    decode_generation,
    encode_generation,
)
from pbxfleet.model.guards import GENERATIONS
from pbxfleet.model.journal import Run, decode_run
from pbxfleet.model.manifest import MANIFEST, decode
from pbxfleet.model.plan import Do
from pbxfleet.model.target import Kind

ABOUT, JOURNAL, TREE, NEEDS = ".json", ".journal", ".zip", ".needs"
RETENTION = "retention"  # record: how many are kept, where that was declared
LEVEL = 6  # of compression: a thousand instances in 0.2 s
STAMP = (1980, 1, 1, 0, 0, 0)  # the first that the format can say: same tree, same bytes


def generations(state: StateView) -> tuple[Generation, ...]:
    """All generations of the host that are still kept, the oldest first; Refused if one is damaged."""
    found = []
    for name in state.records(GENERATION_RECORDS):
        if not name.endswith(ABOUT):
            continue
        try:
            found.append(decode_generation(state.read_record(name) or b""))
        except ValueError as error:
            raise Refused(
                f"the record {name} in the state folder is damaged: {error}",
                hint="move it away; that generation cannot be gone back to",
                code="PLN108",
            ) from error
    return tuple(sorted(found, key=lambda generation: generation.number))


def stage(state: State, tree: Tree) -> None:
    """Store the target of the run that is about to begin; nothing is written if it is there already."""
    state.write_record(_name(_next(state), TREE), packed(tree.files()))


def packed(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Files as one archive, the same bytes for the same files."""
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, content in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, STAMP), content, zipfile.ZIP_DEFLATED, LEVEL)
    return buffer.getvalue()


def unpacked(state: StateView, number: int) -> Mapping[str, bytes]:
    """The files of a generation's target by name; Refused if they are not kept, or are damaged."""
    return _unpacked(state, number, None)


def unpacked_file(state: StateView, number: int, name: str) -> bytes | None:
    """One file of a generation's target, None if it has none by that name; Refused as `unpacked`."""
    return _unpacked(state, number, name).get(name)


def _unpacked(state: StateView, number: int, only: str | None) -> Mapping[str, bytes]:
    import zipfile
    import zlib

    content = state.read_record(_name(number, TREE))
    if content is None:
        raise Refused(f"the target of generation {number} is not kept")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            return {name: archive.read(name) for name in names if only in (None, name)}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Refused(f"the target of generation {number} is damaged: {error}") from error


def finish(state: State, *, restores: int | None = None) -> Generation | None:
    """Make a generation of the run whose journal has come to its end, and close that journal.

    Safe to repeat: a crash in here leaves the journal, and the next run comes here first. None, and no
    generation, where nothing of the run stands and nothing was taken back on purpose.
    """
    lines = state.journal()
    made = None
    try:
        run = decode_run(lines)
    except ValueError:  # of another version, or damaged: nobody could go back by it
        run = None
    text = b"".join(json.dumps(line, sort_keys=True).encode() + b"\n" for line in lines)
    number = _next(state)
    # A crash between the generation and the end of its journal must not make a second one of it.
    is_written = bool(lines) and state.read_record(_name(number - 1, JOURNAL)) == text
    if run is not None and run.entries and (run.standing or run.undoing) and not is_written:
        made = _generation(number, run, lines, restores)
        state.write_record(_name(number, JOURNAL), text)
        state.write_record(_name(number, NEEDS), _encoded(_needs_of(state, number, run)))
        state.write_record(_name(number, ABOUT), encode_generation(made))
    state.close_journal()
    if made is not None:
        prune(state)
    return made


def retention(state: StateView) -> int:
    """How many generations the host keeps: what was last declared."""
    content = state.read_record(RETENTION) or b""
    return max(1, int(content)) if content.strip().isdigit() else GENERATIONS


def retain(state: State, keep: int) -> None:
    """Keep so many generations from now on; more than that are forgotten as soon as no run is open."""
    if keep == retention(state):
        return
    state.write_record(RETENTION, b"%d\n" % keep)
    if not state.journal():  # what an open run needs is no generation's yet
        prune(state)


def size_bytes(state: StateView) -> int:
    """How much all generations take, with the contents that they need.

    Release files are counted too; where they are hard links to those in use they take nothing more.
    """
    places = [join(RECORDS, GENERATION_RECORDS), KEPT]
    paths = [join(place, name) for place in places for name in state.view.names(place)]
    found = {i[:2]: i[2] for path in paths if (i := state.view.identity(path)) is not None}
    return sum(found.values())


def journal_of(state: StateView, number: int) -> Run | None:
    """What the run of a generation did; None if that is not kept. ValueError if it is damaged."""
    content = state.read_record(_name(number, JOURNAL))
    if content is None:
        return None
    return decode_run(json.loads(line) for line in content.splitlines())


def prune(state: State) -> None:
    """Forget all but the newest generations, and contents that none of them needs."""
    known = [generation.number for generation in generations(state)]
    last = len(known) - retention(state)
    for number in known[: max(0, last)]:
        for part in (ABOUT, JOURNAL, TREE, NEEDS):
            state.remove_record(_name(number, part))
    needed: set[Digest] = set()
    for number in known[max(0, last) :]:
        needed |= _needed(state, number)
    state.forget_kept(needed)


def _needed(state: StateView, number: int) -> set[Digest]:
    """The contents that a generation needs; worked out where it was made before that was recorded."""
    content = state.read_record(_name(number, NEEDS))
    if content is not None:
        return {Digest(line) for line in content.decode().splitlines()}
    return _needs_of(state, number, journal_of(state, number))


def _needs_of(state: StateView, number: int, run: Run | None) -> set[Digest]:
    entries = run.standing if run is not None else ()
    return _release_files(state, number) | kept_contents(entry.inverse for entry in entries)


def _encoded(needed: set[Digest]) -> bytes:
    return "".join(f"{digest}\n" for digest in sorted(needed)).encode()


def _release_files(state: StateView, number: int) -> set[Digest]:
    try:
        target = decode(unpacked(state, number)[MANIFEST])
    except (Refused, KeyError):
        return set()
    return {r.digest for r in target.resources.values() if r.kind is Kind.ARTEFACT}


def _generation(
    number: int, run: Run, lines: Iterable[Mapping[str, object]], restores: int | None
) -> Generation:
    done = [entry for entry in (run.standing or run.entries) if entry.do is not Do.REMEMBER]
    failed = any(line.get("event") == "end" and line.get("failure") for line in lines)
    outcome = PARTLY if failed else APPLIED
    return Generation(
        number,
        run.host,
        run.target,
        APPLY if restores is None else ROLLBACK,
        outcome if run.standing else REVERTED,
        restores,
        now(),
        operator(),
        tuple(dict.fromkeys(entry.wave for entry in done if entry.wave)),
        tuple(dict.fromkeys(entry.wave for entry in done if entry.do is Do.STOP)),
        _reason(lines) if restores is None else "",
        __version__,
    )


def _reason(lines: Iterable[Mapping[str, object]]) -> str:
    """Why a run, or one that completed it, kept to no maintenance window."""
    told = [str(line.get("outside_window", "")) for line in lines if line.get("event") == "begin"]
    return "; ".join(dict.fromkeys(reason for reason in told if reason))


def _next(state: StateView) -> int:
    names = [name for name in state.records(GENERATION_RECORDS) if name.endswith(ABOUT)]
    numbers = [
        int(name.removeprefix(f"{GENERATION_RECORDS}/").removesuffix(ABOUT)) for name in names
    ]
    return max(numbers, default=0) + 1


def _name(number: int, part: str) -> str:
    return f"{GENERATION_RECORDS}/{number:06}{part}"
