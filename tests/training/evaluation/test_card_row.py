"""Tests of training/evaluation/card_row.py."""

import pytest

from training.evaluation.card_row import NOT_MEASURED, describe_false_accepts, update_card

MEASURED = {"false_accepts_per_hour": 4.02, "recall": 0.8516, "measured_on": "a | b"}


def test_false_accepts_are_stated_with_the_recall_and_what_they_were_measured_on():
    assert describe_false_accepts({"recall": 0.5}) == NOT_MEASURED
    assert describe_false_accepts(MEASURED) == "4.02; 85.2% of the words found (a | b)"
    assert describe_false_accepts({"false_accepts_per_hour": 0.0}) == "0"


def test_the_row_of_a_card_is_replaced_and_nothing_else(tmp_path):
    row = f"| false accepts an hour     | {NOT_MEASURED}  |"
    card = tmp_path / "own.card.md"
    card.write_text(f"# own\n\n{row}\n| hop | 640 |\n")
    update_card(tmp_path / "own.tflite", MEASURED)
    expected = "| false accepts an hour | 4.02; 85.2% of the words found (a \\| b) |"
    assert card.read_text() == f"# own\n\n{expected}\n| hop | 640 |\n"


@pytest.mark.parametrize("text", [None, "# a card without the row\n"])
def test_models_without_such_a_card_are_left_as_they_are(text, tmp_path):
    card = tmp_path / "own.card.md"
    if text is not None:
        card.write_text(text)
    update_card(tmp_path / "own.tflite", MEASURED)
    assert (card.read_text() if card.exists() else None) == text
