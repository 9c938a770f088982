"""The state folder of a host as apply and undo use it: records, kept contents, journal."""

from __future__ import annotations

from pbxfleet.app.record_names import record_name
from pbxfleet.apply.io import Detail
from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.host.clock import new_token
from pbxfleet.host.state import State
from pbxfleet.model.applied import AppliedRecord, encode_record
from pbxfleet.model.journal import PutRecordBack


class HostMemory:
    """Applied records, kept contents and journal in the state folder.

    `outside_window` is why maintenance windows do not count; it goes into the journal.
    """

    def __init__(self, state: State, outside_window: str = "") -> None:
        self.state = state
        self._outside_window = outside_window

    def remember(self, record: AppliedRecord) -> None:
        """Store one record; nothing is written if it is there already."""
        self.state.write_record(record_name(record.instance), encode_record(record))

    def record_inverse(self, record: AppliedRecord) -> PutRecordBack | None:
        """What is stored now under the record's name; None if it is the same."""
        name = record_name(record.instance)
        before = self.state.read_record(name)
        if before == encode_record(record):
            return None
        return PutRecordBack(name, None if before is None else before.decode())

    def put_record_back(self, name: str, content: str | None) -> None:
        """Store a record as it was, or forget it."""
        if content is None:
            self.state.remove_record(name)
        else:
            self.state.write_record(name, content.encode())

    def keep(self, digest: Digest, path: HostPath) -> None:
        """Keep the content of a file under its digest."""
        self.state.keep(digest, path)

    def kept(self, digest: Digest) -> bytes:
        """A kept content; HostError if it is not there or damaged."""
        return self.state.kept(digest)

    def save(self, digest: Digest, path: HostPath, of: HostPath) -> HostPath:
        """Keep the content of `path`, somebody else's version of `of`; where it is then."""
        return self.state.save(digest, path, of)

    def last_number(self) -> int:
        """Number of the last step in the journal."""
        numbers = [entry.get("number") for entry in self.state.journal()]
        return max((n for n in numbers if isinstance(n, int)), default=0)

    def log(self, event: str, **details: Detail) -> None:
        """Append to the journal. After the event `end` it tells of a run that is over.

        Each run gets a name of its own, so that no two journals are the same.
        """
        if event == "begin":
            details["run"] = new_token()
            if self._outside_window:
                details["outside_window"] = self._outside_window
        if event != "end" or self.state.journal():
            self.state.append_journal({"event": event, **details})
