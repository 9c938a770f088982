"""Keeps in-process tests away from the / of the machine they run on.

`LocalHost(root=None)` is the real thing: it writes below /etc and starts services. Tests give a
root of their own. A test that runs in a bed, where / may be touched, is marked `real_root`.
"""

from __future__ import annotations

import functools
import inspect
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pbxfleet.host.local import LocalHost

_lifted = False


class ThisMachineTouchedError(AssertionError):
    """A test asked for the real / without saying so."""


@contextmanager
def installed() -> Iterator[None]:
    """Within this context a `LocalHost` without a root of its own cannot be made."""
    original = LocalHost.__init__
    signature = inspect.signature(original)
    assert "root" in signature.parameters, "the guard no longer knows which argument is the root"

    @functools.wraps(original)
    def guarded(self: LocalHost, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        root = bound.arguments["root"]
        if not _lifted and (not root or posixpath.abspath(str(root)).strip("/") == ""):
            raise ThisMachineTouchedError(
                "LocalHost without a root would change this machine; give it tmp_path"
            )
        original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalHost, "__init__", guarded)
        yield


@contextmanager
def lifted() -> Iterator[None]:
    """Within this context the guard lets through; for tests whose / is not this machine's."""
    global _lifted  # noqa: PLW0603  one switch for the whole process is the point
    before, _lifted = _lifted, True
    try:
        yield
    finally:
        _lifted = before
