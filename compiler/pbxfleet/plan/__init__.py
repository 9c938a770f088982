"""Target, observed and applied state to changes, and changes to ordered steps; pure."""
