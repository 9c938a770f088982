"""Resolved host to target: resources with their bytes. The only package that knows jinja2."""
