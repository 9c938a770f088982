"""Everything known about the PBX, as rows with a source; it knows nothing of hosts and plans."""
