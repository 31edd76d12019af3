"""The table beside recordings of sentences: file, source, speaker, seconds, licence, transcript."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from training.voices.errors import SynthesisError

TABLE = "sentences.tsv"


class Row(NamedTuple):
    """A recording in the table; the fields are its columns."""

    file: str
    source: str
    speaker: str
    seconds: str
    licence: str
    transcript: str

    @property
    def number(self) -> int:
        """The number in the file's name."""
        return int(Path(self.file).stem.rpartition("_")[2])

    @property
    def hours(self) -> float:
        return float(self.seconds) / 3600


def read_table(folder: Path) -> list[Row]:
    """Return the rows of a folder's table; none where the folder is new or empty.

    Raises:
        SynthesisError: the folder is a file, holds other files, or its table is not one.
        OSError: the table cannot be read.
    """
    path = folder / TABLE
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise SynthesisError(f"{folder}: expected a folder, found a file")
    if not path.exists():
        if any(not file.name.startswith(".") for file in folder.iterdir()):
            raise SynthesisError(
                f"{folder}: expected a new or an empty folder, or one with a {TABLE}, "
                "found other files in it"
            )
        return []
    header, *lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    cells = [line.split("\t") for line in lines if line]
    try:
        if header.split("\t") != list(Row._fields):
            raise ValueError
        rows = [Row(*line) for line in cells]
        for row in rows:
            _ = row.number, row.hours
    except (TypeError, ValueError):
        message = (
            f"{path}: expected the columns {', '.join(Row._fields)} of sentences, found others"
        )
        raise SynthesisError(message) from None
    return rows


def table_text(rows: Iterable[Row]) -> str:
    """Return the content of a table."""
    return "".join("\t".join(cells) + "\n" for cells in (Row._fields, *rows))
