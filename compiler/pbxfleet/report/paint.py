"""Colour: only ever beside a sign or word that says the same."""

from __future__ import annotations

CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}


class Paint:
    """Adds terminal colours, or nothing at all."""

    def __init__(self, *, colour: bool = False) -> None:
        self.colour = colour

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{CODES[style]}m{text}\x1b[0m" if self.colour and text else text


PLAIN = Paint()


def visible(text: str) -> str:
    """`text` with control characters made visible, so that a value cannot repaint the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
