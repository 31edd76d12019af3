"""Tables of text: as Markdown for reports, and with aligned columns for the terminal."""

from collections.abc import Sequence

Row = Sequence[str]


def markdown_table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table with aligned columns.

    Args:
        rows: rows of equal length, the header first. A "|" or a line break in a cell is escaped.

    Returns:
        The lines of the table, without a line break at the end.

    Example:
        >>> print(markdown_table([["label", "clips"], ["yes", "397"]]))
        | label | clips |
        | ----- | ----- |
        | yes   | 397   |
    """
    cells = [[_escape(cell) for cell in row] for row in rows]
    widths = [max(3, width) for width in column_widths(cells)]
    lines = [cells[0], ["-" * width for width in widths], *cells[1:]]
    return "\n".join(f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines)


def plain_table(rows: Sequence[Row]) -> str:
    """Return rows of equal length as lines of right-aligned columns, two spaces apart.

    Example:
        >>> print(plain_table([["label", "clips"], ["yes", "397"]]))
        label  clips
          yes    397
    """
    widths = column_widths(rows)
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def column_widths(rows: Sequence[Row]) -> list[int]:
    """Return the length of the longest cell of each column."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _escape(cell: str) -> str:
    return " ".join(cell.splitlines()).replace("|", "\\|")
