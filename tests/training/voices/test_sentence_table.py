"""Tests of training/voices/sentence_table.py."""

import pytest

from training.voices.errors import SynthesisError
from training.voices.sentence_table import TABLE, Row, read_table, table_text

ROW = Row("flite-rms_000012.wav", "flite-rms-s175-p50-r100", "flite-rms", "3.60", "free", "A b c.")


def test_a_table_is_read_as_it_was_written(tmp_path):
    (tmp_path / TABLE).write_text(table_text([ROW, ROW]))
    assert read_table(tmp_path) == [ROW, ROW]
    assert (ROW.number, ROW.hours) == (12, 0.001)


def test_a_new_folder_has_no_rows(tmp_path):
    assert read_table(tmp_path / "new") == read_table(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file\ttranscript\na.wav\thello\n",
        table_text([ROW._replace(file="a.wav")]),
        table_text([ROW._replace(seconds="long")]),
        table_text([ROW]) + "half a row",
    ],
)
def test_another_table_is_named(tmp_path, text):
    (tmp_path / TABLE).write_text(text)
    with pytest.raises(SynthesisError, match=r"sentences\.tsv: expected the columns file, source"):
        read_table(tmp_path)


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "precious.txt").touch()
    with pytest.raises(SynthesisError, match="found other files in it"):
        read_table(tmp_path)
    with pytest.raises(SynthesisError, match=r"precious\.txt: expected a folder, found a file"):
        read_table(tmp_path / "precious.txt")
