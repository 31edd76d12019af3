"""The model card."""

import pytest

from export.model_package.model_card import (
    KNOWN_SPEAKERS,
    MARKER,
    NEW_SPEAKERS,
    UNKNOWN_SPEAKERS,
    model_card,
)
from export.model_package.run_metrics import RunMetrics, Start

METADATA = {
    "front_end": {"sample_rate": 16000},
    "window_samples": 16000,
    "hop_samples": 640,
    "quantization": "dynamic",
    "versions": {"python": "3.11.7", "keras": "3.15.1"},
}


@pytest.fixture
def card():
    def write(notes="", **changes):
        metrics = {
            "labels": ("lights on", "lights", "on"),
            "parameters": 37664,
            "validation_accuracy": 0.75,
            "validation_clips": 4,
            "validation_of_new_voices": True,
            "confusion": [[2, 1, 0], [0, 1, 0], [0, 0, 0]],
            "recall": {"lights on": 2 / 3, "lights": 1.0, "on": None},
            "epochs": 3,
            "training_seconds": 90.0,
            "training_data": "81 clips of words",
            "data": "words",
            "licence": "",
            "commands": ["python training/train.py"],
        }
        found = RunMetrics(**metrics | changes)
        return model_card("m.tflite", 78800, METADATA, found, "the command", "Checked.", notes)

    return write


def test_the_card_states_the_figures(card):
    text = card(notes="## Sources\n\nRecordings.")
    assert text.startswith(f"{MARKER}\n# m.tflite\n")
    for part in ("78,800 bytes (dynamic", "75.00% on 4 clips", "37,664", "not stated", "16000"):
        assert part in text
    assert "python training/train.py\nthe command\n```" in text
    assert text.endswith("## Sources\n\nRecordings.\n")
    assert "distilled" not in text


def test_the_accuracy_stands_with_what_its_unknown_was_and_the_false_accepts(card):
    text = card(validation_unknown="made sounds")
    assert '75.00% on 4 clips (the Keras model); its "unknown" was made sounds alone' in text
    accuracy, false_accepts = text.index("| validation accuracy"), text.index("| false accepts an")
    assert text[accuracy:false_accepts].count("\n") == 1  # one below the other
    assert "| false accepts an hour | not measured (training/evaluate.py --negatives" in text


def test_the_card_names_the_model_that_a_run_started_from(card):
    assert "3 epochs in 2 minutes, started from medium " in card(start=Start(model="medium"))


def test_labels_with_spaces_can_be_told_apart(card):
    assert "`lights on`, `lights`, `on`" in card()


def test_labels_cannot_break_the_tables(card):
    labels = ("a|b", "c`d", "e")
    text = card(labels=labels, recall=dict.fromkeys(labels, 1.0))
    rows = [line for line in text.splitlines() if line.startswith("| a\\|b")]
    assert len(rows) == 1
    assert "`a\\|b`, ``c`d``, `e`" in text


def test_control_characters_of_names_are_escaped(card):
    labels = ("a\x1b[31m", "b", "c")
    text = card(
        notes="As written:\xa0\u2026",
        labels=labels,
        recall=dict.fromkeys(labels, 1.0),
        commands=["python training/train.py --out \udcff"],
        training_data="clips of \x1b",
    )
    assert "\x1b" not in text
    assert "a\\x1b[31m" in text
    assert text.encode("utf-8").decode().endswith("As written:\xa0\u2026\n")


def test_the_card_says_whose_voices_validated(card):
    assert NEW_SPEAKERS in card()
    assert KNOWN_SPEAKERS in card(validation_of_new_voices=False)
    for new in (True, False):
        text = card(speakers_known=False, validation_of_new_voices=new)
        assert UNKNOWN_SPEAKERS in text
        assert NEW_SPEAKERS not in text


def test_the_card_names_the_teachers(card):
    assert "3 epochs in 2 minutes, distilled from large" in card(teacher="large")


def test_the_recall_of_a_label_without_clips_is_empty(card):
    row = next(line for line in card().splitlines() if line.startswith("| on "))
    assert row.split("|")[-2].strip() == ""
