"""Resolve: layers joined, references followed, `auto` allocated; `checks` looks at the result."""

from pbxfleet.resolve.resolve import Resolution, resolve, resolve_and_check

__all__ = ["Resolution", "resolve", "resolve_and_check"]
