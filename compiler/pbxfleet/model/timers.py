"""Timers of systemd by which a host looks for drift by itself."""

TIMERS = ("pbxfleet-drift.timer", "pbxfleet-remind.timer")
