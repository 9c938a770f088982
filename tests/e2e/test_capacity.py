"""`pbxfleet capacity`: figures for people and for programs, from the repository alone."""

from __future__ import annotations

from pathlib import Path

from support.ledger_repository import HOST, Repository


def test_a_fleet(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    price = 'price = { amount = 49.90, currency = "EUR" }\n'
    reserved = 'reserved_cpus = [{ cpus = "15", reason = "recordings" }]\n'
    repository.write("desired/hosts/fra1.toml", HOST.format(net="203.0.113") + price + reserved)
    repository.remove("birch")
    repository.compile()
    done = repository.pbxfleet("capacity", "fra1")
    assert done.code == 0
    assert "room for 13 more instances (limited by cores)\n" in done.out
    assert "reserved: core 15 (recordings)" in done.out
    assert "49.90 EUR per month, 49.90 per instance\n" in done.out
    one, other = repository.pbxfleet("--json", "capacity").data["hosts"]
    assert (one["host"], one["costs"]) == ("ber1", None)
    cores = next(s for s in other["supplies"] if s["kind"] == "cores")
    assert cores == {
        "kind": "cores", "total": 16, "used": 1, "reserved": 1, "gone": 1, "free": 13,
    }  # fmt: skip
    assert other["costs"]["per_instance"] == "49.90"


def test_what_is_refused(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    assert repository.pbxfleet("--json", "capacity", "fra9").data["error"]["hint"]
    repository.add("ash", "fra9")
    done = repository.pbxfleet("capacity")
    assert (done.code, done.out) == (1, "")
    assert "REF101" in done.err
