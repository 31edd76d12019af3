"""Metrics are those of their definitions."""

import hashlib

import numpy as np
import pytest
import scipy.stats

from tests.training.evaluation.examples import LABELS, certain, noise_clips
from training.evaluation.metrics import summarise, wilson_interval
from training.evaluation.speakers import is_held_out_speaker

CLIPS = ["yes", "yes", "no", "bird", "silence"]


def summary_of(words, predictions):
    return summarise(LABELS, noise_clips(words), {"clean": certain(predictions)})


def test_the_interval_is_wilsons():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    for (count, of), expected in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson_interval(count, of) == pytest.approx(expected, abs=5e-5)
    for of in (1, 7, 2220):
        for count in {0, 1, of // 2, of - 1, of}:
            found = scipy.stats.binomtest(count, of).proportion_ci(method="wilson")
            low, high = wilson_interval(count, of)
            assert (low, high) == pytest.approx((found.low, found.high), abs=1e-12)
            assert 0 <= low <= count / of <= high <= 1


def test_a_perfect_model_has_full_recall_and_no_false_alarms():
    found = summary_of(CLIPS, ["yes", "yes", "no", "unknown", "silence"])
    metrics = found["conditions"]["clean"]
    for key in ("accuracy", "command_recall", "unknown_recall", "silence_recall"):
        assert metrics[key]["share"] == 1, key
    assert metrics["mean_recall_of_labels"] == 1
    assert metrics["false_alarms_on_unknown"]["count"] == 0
    assert metrics["false_alarms_on_silence"]["count"] == 0
    assert all(f[k]["share"] == 1 for f in found["labels"].values() for k in f)
    assert found["confusion"]["counts"] == np.diag([2, 1, 1, 1]).tolist()


def test_a_constant_model_is_right_on_its_own_label_only():
    found = summary_of(CLIPS, ["yes"] * 5)
    metrics = found["conditions"]["clean"]
    assert metrics["accuracy"]["share"] == 2 / 5
    assert metrics["command_recall"]["share"] == 2 / 3
    assert metrics["mean_recall_of_labels"] == 1 / 4
    assert metrics["false_alarms_on_unknown"]["share"] == 1
    assert metrics["false_alarms_on_silence"]["share"] == 1
    assert found["labels"]["yes"]["precision"]["share"] == 2 / 5
    assert found["labels"]["no"]["precision"] == {
        "share": None,
        "low": None,
        "high": None,
        "count": 0,
        "of": 0,
    }


def test_recall_is_by_rows_and_precision_by_columns():
    words = ["yes", "yes", "yes", "no", "bird", "silence"]
    found = summary_of(words, ["yes", "no", "unknown", "no", "no", "unknown"])
    shares = {
        k: (f["recall"]["share"], f["precision"]["share"]) for k, f in found["labels"].items()
    }
    assert shares == {"yes": (1 / 3, 1), "no": (1, 1 / 3), "unknown": (0, 0), "silence": (0, None)}
    assert found["confusion"]["counts"][0] == [1, 1, 1, 0]  # rows are what was spoken


def test_speakers_are_halved_by_their_names():
    names = [f"{number:08x}" for number in range(1000)]
    for name in names:
        odd = int(hashlib.sha1(name.encode()).hexdigest(), 16) % 2 == 1
        assert is_held_out_speaker(name) == odd
    assert 450 < sum(map(is_held_out_speaker, names)) < 550


def test_clips_without_a_speaker_are_in_neither_half():
    clips = noise_clips(["yes", "no", "bird", "unknown"] * 5 + ["silence"] * 3)
    predictions = ["yes" if is_held_out_speaker(speaker) else "no" for speaker in clips.speakers]
    found = summarise(LABELS, clips, {"clean": certain(predictions)})["speakers"]
    assert sum(half["accuracy"]["of"] for half in found.values()) == 20
    assert sum(half["speakers"] for half in found.values()) == 20
    held_out = [
        word
        for word, speaker in zip(clips.words, clips.speakers, strict=True)
        if speaker and is_held_out_speaker(speaker)
    ]
    half = found["held-out speakers"]
    assert half["accuracy"]["count"] == held_out.count("yes")
    assert half["accuracy"]["of"] == len(held_out)
