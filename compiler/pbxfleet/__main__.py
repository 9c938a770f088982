"""`python -m pbxfleet`."""

from pbxfleet.cli.main import entry

entry()
