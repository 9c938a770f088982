"""Processes started by pbxfleet itself: no file, and nothing starts with the machine."""

from __future__ import annotations

from pbxfleet.render.services.base import no_problems, no_service_file

# The starter is pbxfleet, which reads what it needs from the manifest.
service_file = no_service_file
problems = no_problems
