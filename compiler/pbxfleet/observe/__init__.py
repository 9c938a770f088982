"""Read a host's observed state through `HostView`: files, settings, services, processes, strays."""
