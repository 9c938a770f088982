"""Checks of [backup] beyond the examples of their pages."""

from __future__ import annotations

import pytest

from support.pages import BASE, diagnose, laid_over

HOST = (BASE / "desired/hosts/fra1.toml").read_text(encoding="utf-8")


def codes(backup: str, instance: str = "") -> list[str]:
    files = {"desired/hosts/fra1.toml": f"{HOST}\n{backup}\n".encode()}
    if instance:
        text = f'host = "fra1"\naddress = "203.0.113.10"\n{instance}\n'
        files["desired/instances/alpha.toml"] = text.encode()
    return [one.code for one in diagnose(laid_over(files))]


def restic(repository: str, file: str = "/etc/pbx/p") -> str:
    return f'[backup.restic]\nrepository = "{repository}"\npassword_file = "{file}"'


@pytest.mark.parametrize(
    ("backup", "found"),
    [
        (restic("/mnt/x"), []),
        (restic("local:/mnt/x"), []),
        (restic("sftp:user@host:/srv"), []),
        (restic("s3:https://s3.example.com/bucket"), []),
        (restic("rest:https://user@host/"), []),
        (restic("rest:https://user:word@host/"), ["BKP105"]),
        (restic("backups"), ["BKP106"]),
        (restic("local:/usr/local/pbx-alpha"), ["BKP101"]),
        (restic("/usr/local/pbx-alpha/deep/er"), ["BKP101"]),
        (restic("/usr/local/pbx-alphabet"), []),
        (restic("/mnt/x", "/usr/local/pbx-beta/p"), ["BKP108"]),
        (restic("/mnt/x", "/etc/pbx/backup/p"), ["BKP108"]),
        ('[backup.borg]\nrepository = "/mnt/x"\npassword_file = "p"', ["FMT115"]),
        ('[backup.borg]\nrepository = "/mnt/x"\npassword = "p"', ["FMT105", "FMT104"]),
        ('[backup.tar]\ntarget = "/mnt/x"\nencrypted = true\nkeep = { daily = 1 }', ["FMT104"]),
        ('[backup.tar]\ntarget = "/mnt/x"\nencrypted = true\nkeep = { last = 0 }', ["FMT109"]),
        ('[backup]\ndirectory = "/usr/local/pbx-alpha/b"', ["BKP108"]),
        ('[backup]\nconsistency = "frozen"', ["FMT108"]),
    ],
)
def test_hosts(backup: str, found: list[str]) -> None:
    assert codes(backup) == found


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("backup = { snapshots = false }", ["BKP103"]),
        ('backup = { snapshots = false, names = { snapshots = "snap" } }', []),
        ("backup = { cdr = true, snapshots = true }", []),
        ('backup = { names = { logs = "p?x.xml" } }', ["BKP104"]),
        ('backup = { logs = true, names = { logs = "*" } }', []),
        ('backup = { names = { logs = "*/x.xml" } }', []),
        ('backup = { names = { logs = "../x" } }', ["FMT115"]),
        ('backup = { names = { logs = "/x" } }', ["FMT115"]),
        ('backup = { names = { logs = "[ab]" } }', ["FMT115"]),
        ('backup = { names = { logs = "a/**" } }', ["FMT115"]),
        ('backup = { extra = ["/usr/local/pbx-alpha/x"] }', ["BKP109"]),
        ('backup = { extra = ["/usr/local/pbx-beta"] }', ["BKP109"]),
        ('backup = { extra = ["/usr"] }', ["BKP109"]),
        ('backup = { extra = ["/etc/x", "/srv/y"] }', []),
    ],
)
def test_instances(says: str, found: list[str]) -> None:
    assert codes("", says) == found


def test_a_place_in_an_extra_path() -> None:
    assert codes(restic("/srv/y/backups"), 'backup = { extra = ["/srv/y"] }') == ["BKP101"]
