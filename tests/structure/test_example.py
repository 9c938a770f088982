"""The example fleet pins the stand-in PBX as it is, so that it can be applied from a fresh clone."""

import hashlib
import tomllib

from support.tree import ROOT


def test_the_example_pins_the_stand_in() -> None:
    fleet = tomllib.loads((ROOT / "desired/fleet.toml").read_text(encoding="utf-8"))
    for name, release in fleet["releases"].items():
        for key in ("pbxctrl", "dat"):
            source = ROOT / "desired" / release[key]["source"].removeprefix("file:")
            digest = hashlib.sha256(source.read_bytes()).hexdigest()
            assert release[key]["sha256"] == digest, f"pin of {key} in release {name}"
