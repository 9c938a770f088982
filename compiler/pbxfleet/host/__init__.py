"""The one seam for side effects: `HostView` looks, `Host` acts."""
