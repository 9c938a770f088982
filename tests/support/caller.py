"""Calls on running stand-in PBXes, and a login by which pbxfleet may ask for them."""

from __future__ import annotations

from support.running_site import HTTP, LOGIN, RunningSite
from support.standin import http_post

API = '[api]\npassword_file = "/etc/pbx/api-{instance}"'


def with_login(site: RunningSite, *names: str, word: str = LOGIN) -> None:
    """Give pbxfleet a login for instances: a file on the host."""
    for name in names:
        path = site.root / f"etc/pbx/api-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(word.partition(":")[2] + "\n", encoding="utf-8")
        path.chmod(0o600)


def on_calls(site: RunningSite, name: str, number: int) -> None:
    http_post(site.addresses[name], HTTP, f"/standin/calls?n={number}", "", "")


def declare_again(site: RunningSite, *names: str, api: str = API) -> None:
    """Another value of a setting that costs a restart."""
    for name in names:
        text = f'host = "h1"\naddress = "{site.addresses[name]}"\n[settings]\n'
        text += f'sys_name = "{name}"\nlog_filename = "x.log"\n{api}\n'
        site.declare(f"desired/instances/{name}.toml", text)
    site.compile()
