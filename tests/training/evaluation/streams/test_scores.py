"""One rule: streams are evaluated as `Recognizer.stream` detects."""

import numpy as np

import speechgru
from speechgru import modelfile
from speechgru.network import StreamNetwork
from training.evaluation.streams.scores import detect, score_stream


def test_the_detections_are_those_of_the_recognizer(samples):
    sounds = sorted(samples.glob("*.wav"))[4:14]
    parts = [np.pad(speechgru.audio.load(sound), (4000, 40000)) for sound in sounds]
    stream = np.concatenate(parts)
    file = modelfile.read(None)
    rule = file.detection_rule().with_threshold(0.3)
    found = detect(rule, score_stream(StreamNetwork(file), stream))
    expected = speechgru.Recognizer().detect(stream, 0.3, sample_rate=16000)
    assert len(expected) >= 3
    assert [one.label for one in found] == [one.label for one in expected]
    np.testing.assert_allclose([one.time for one in found], [one.time for one in expected])
    confidences = [[one.confidence for one in each] for each in (found, expected)]
    np.testing.assert_allclose(*confidences, atol=1e-6)
    assert all(one.decided >= one.time for one in found)


def test_scores_start_anew_and_zeros_fill_the_last_hop():
    network = StreamNetwork(modelfile.read(None))
    noise = 0.1 * np.random.default_rng(0).normal(size=5 * 640 + 1).astype(np.float32)
    scores = score_stream(network, noise)
    assert scores.shape == (6, 12)
    assert np.array_equal(scores, score_stream(network, noise))
    assert np.array_equal(scores, score_stream(network, np.pad(noise, (0, 639))))
