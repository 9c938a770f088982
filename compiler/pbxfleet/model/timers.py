"""Timers of systemd by which a host looks for drift by itself."""

FOLDER = "/etc/systemd/system"
TIMERS = ("pbxfleet-drift.timer", "pbxfleet-remind.timer")
ACTIVE = "active"
"""The state of a timer that will fire (`ActiveState`, systemctl(1))."""
