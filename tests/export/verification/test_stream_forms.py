"""Forms that recognise a stream only: how they are measured, and those that a system cannot run."""

import numpy as np
import pytest

from export.verification.clips import VerificationClips
from export.verification.stream_forms import UnavailableError, measure_stream_form, open_runners

HOP = 4
CLIPS = VerificationClips(
    audio=np.array([[0.1] * 8, [0.9] * 8, [0.2] * 8, [0.8] * 8], np.float32),
    gaps=np.full((4, 8), 0.5, np.float32),
    targets=np.array([0, 1, 0, 0]),
)


class LoudnessRunner:
    """Scores (1 - x, x), where x is the loudness of the hop, and from the third hop on 0."""

    def __init__(self):
        self.bytes, self.memory, self.changed_labels_limit = 7, {"stream": 8}, 0.0
        self.reset()

    def reset(self):
        self.hops = 0

    def feed(self, audio):
        scores = []
        for hop in audio.reshape(-1, HOP):
            self.hops += 1
            x = hop.mean() if self.hops < 3 else np.float32(0)
            scores.append((1 - x, x))
        return np.array(scores, np.float32)


@pytest.fixture(scope="module")
def result():
    right = np.array([[0.9, 0.1], [0.1, 0.9], [0.8, 0.2], [0.2, 0.8]], np.float32)
    keras, int8 = right.copy(), right.copy()
    keras[0], int8[:2] = (0.6, 0.4), (0.4, 0.6)
    return measure_stream_form("loudness", LoudnessRunner(), CLIPS, keras, int8)


def test_a_clip_is_recognised_by_a_new_stream(result):
    assert result.accuracy == 0.75


def test_all_gaps_and_clips_are_one_stream(result):
    assert result.stream_accuracy == 0.75  # all answers are 0
    audio = CLIPS.audio.copy()
    loud = CLIPS._replace(audio=audio, gaps=audio, targets=np.array([1, 1, 1, 1]))
    scores = np.zeros((4, 2), np.float32)
    assert measure_stream_form("", LoudnessRunner(), loud, scores, scores).stream_accuracy == 0


def test_scores_and_labels_are_compared_with_keras_and_the_int8_form(result):
    assert result.score_difference == pytest.approx(0.3)
    assert result.changed_labels == 0
    assert result.score_difference_from_int8 == pytest.approx(0.5)
    assert result.changed_labels_from_int8 == 0.25


def test_what_a_stream_cannot_give_is_not_in_the_report(result):
    assert result.as_json().keys() == {
        "bytes", "accuracy", "stream_accuracy", "score_difference", "changed_labels",
        "score_difference_from_int8", "changed_labels_from_int8", "memory",
    }  # fmt: skip


def test_a_form_that_this_system_cannot_run_is_a_line():
    def unavailable():
        raise UnavailableError("expected a compiler, found none")

    runners, lines = open_runners({"loudness": LoudnessRunner, "firmware": unavailable})
    assert list(runners) == ["loudness"]
    assert lines == ["firmware: not run: expected a compiler, found none"]
