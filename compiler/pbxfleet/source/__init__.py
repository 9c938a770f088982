"""Bytes of TOML and YAML files to nodes in which every key and every value has a place."""
