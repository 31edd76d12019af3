"""Markdown tables and tables for the terminal."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.output.tables import markdown_table, plain_table

ROWS = [["label", "clips"], ["yes", "397"], ["unknown", "4"]]


def test_a_markdown_table_has_a_rule_under_its_header_and_aligned_columns():
    assert markdown_table(ROWS).split("\n") == [
        "| label   | clips |",
        "| ------- | ----- |",
        "| yes     | 397   |",
        "| unknown | 4     |",
    ]


def test_narrow_columns_still_have_the_three_dashes_that_markdown_needs():
    assert markdown_table([["a"], ["b"]]).split("\n") == ["| a   |", "| --- |", "| b   |"]


def test_a_plain_table_is_right_aligned():
    assert plain_table(ROWS).split("\n") == ["  label  clips", "    yes    397", "unknown      4"]


@given(st.lists(st.lists(st.text(), min_size=3, max_size=3), min_size=1, max_size=5))
def test_any_text_stays_in_its_cell(rows):
    lines = markdown_table(rows).split("\n")
    assert len(lines) == len(rows) + 1
    for line in lines:
        assert line.replace("\\|", "").count("|") == 4


@given(st.text(string.printable.replace("|", ""), min_size=1))
def test_a_cell_keeps_its_words(text):
    assert markdown_table([["head"], [text]]).split("\n")[2].strip("| ").split() == text.split()


@pytest.mark.parametrize("table", [markdown_table, plain_table])
def test_rows_of_different_lengths_are_refused(table):
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        table([["a", "b"], ["c"]])
