"""Frozen data that pass between stages: one module a family, split so that commands load little."""
