"""Choice of the constants of the rule for whole recordings."""

import dataclasses

import numpy as np

from speechgru.detection import RecordingRule
from speechgru.recording import find_command, smooth, unknown_around
from training.evaluation.metrics import wilson_interval
from training.evaluation.recordings.constants import Example, choose_constants

LABELS = ("yes", "no", "unknown", "silence")
RULE = RecordingRule(LABELS, 0.04, {"yes": 0.5, "no": 0.5})
SILENT = [0.0, 0.0, 0.0, 1.0]


def word(score, hops=20):
    """A command in silence: "yes" with a score for some hops."""
    said = [[score, 0.0, 1 - score, 0.0]] * hops
    return np.array([SILENT] * 20 + said + [SILENT] * 20, np.float32)


def sentence(score, unknown_hops):
    """The same inside of a sentence."""
    rest = [[0.0, 0.0, 1.0, 0.0]] * (unknown_hops // 2)
    return np.array(rest + word(score)[20:40].tolist() + rest, np.float32)


def answers(rule, scores):
    found = find_command(rule, smooth(scores, rule.smoothing_hops), unknown_around(rule, scores))
    return found is not None


def test_sentences_are_told_from_words_by_their_unknown_speech():
    words = [Example(word(0.9), "yes", False) for _ in range(50)]
    spoken = [Example(sentence(1.0, hops), None, False) for hops in range(16, 216)]
    rule = choose_constants(RULE, words + spoken)
    assert all(answers(rule, example.scores) for example in words)
    assert not any(answers(rule, example.scores) for example in spoken)
    assert 2 <= rule.max_unknown_hops < 16


def test_noise_is_told_from_words_by_the_threshold():
    words = [Example(word(0.8), "yes", False) for _ in range(50)]
    noises = [Example(word(0.6), None, False) for _ in range(200)]
    rule = choose_constants(RULE, words + noises)
    assert set(rule.thresholds) == {"yes", "no"}
    assert 0.6 < rule.thresholds["yes"] == rule.thresholds["no"] <= 0.8


def test_few_sentences_may_be_answered_if_more_words_are():
    words = [Example(word(0.5), "yes", False) for _ in range(50)]
    noises = [Example(word(0.6 if n < 5 else 0.1), None, False) for n in range(400)]
    assert choose_constants(RULE, words + noises).thresholds["yes"] <= 0.5  # 5 of 400 are few
    noises = [Example(word(0.6 if n < 12 else 0.1), None, False) for n in range(400)]
    assert choose_constants(RULE, words + noises).thresholds["yes"] > 0.6  # 12 of 400 may be > 3 %


def test_too_few_recordings_give_the_constants_with_the_fewest_wrong_answers():
    words = [Example(word(0.9), "yes", False)] * 3
    noises = [Example(word(0.6), None, False)] * 3
    rule = choose_constants(RULE, words + noises)
    assert not answers(rule, noises[0].scores)
    assert answers(rule, words[0].scores)


def test_a_wrong_command_is_not_a_right_answer():
    wrong = [Example(word(0.9), "no", False) for _ in range(5)]
    other = [Example(word(0.9), None, True) for _ in range(5)]
    quiet = [Example(np.array([SILENT] * 40, np.float32), None, False)] * 200
    rule = choose_constants(RULE, wrong + other + quiet)
    assert not answers(rule, other[0].scores)


def test_no_other_constants_answer_more_recordings_right():
    rng = np.random.default_rng(0)
    examples = []
    for number in range(300):
        scores = np.repeat(rng.dirichlet([0.3] * 4, 12), 8, axis=0).astype(np.float32)
        examples.append(Example(scores, "yes" if number % 3 else None, number % 6 == 0))
    examples += [Example(np.array([SILENT] * 50, np.float32), None, False)] * 500

    def reached(rule):
        """Whether few enough sentences are answered, and how many other recordings are right."""
        right = false = 0
        for scores, command, is_word in examples:
            smoothed = smooth(scores, rule.smoothing_hops)
            found = find_command(rule, smoothed, unknown_around(rule, scores))
            label = LABELS[found[1]] if found else None
            right += (is_word or command is not None) and label == command
            false += command is None and not is_word and label is not None
        return wilson_interval(false, 550)[1] <= 0.03, right

    rule = choose_constants(RULE, examples)
    best = reached(rule)
    assert best[0]
    assert 0 < best[1] < 250
    for changes in (
        {"max_unknown_hops": 3.0},
        {"max_unknown_hops": 12.0},
        {"max_unknown_hops": 30.0},
        {"smoothing_hops": 4},
        {"smoothing_hops": 12},
        {"pause_hops": 5},
        {"pause_hops": 16},
        {"thresholds": {"yes": 0.3, "no": 0.3}},
        {"thresholds": {"yes": 0.7, "no": 0.7}},
    ):
        assert reached(dataclasses.replace(rule, **changes)) <= best, changes
