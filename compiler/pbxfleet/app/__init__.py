"""One function per command: the only place that joins stages and knows their order."""
