"""Results as lines of text."""

from speechgru.errors import escape


def quote(label: str) -> str:
    """Put a label of several words into quotation marks."""
    label = escape(label)
    return f'"{label}"' if " " in label else label
