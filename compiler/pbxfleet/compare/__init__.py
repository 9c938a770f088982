"""Field-level differences of two keyed structures: the only package that knows deepdiff."""
