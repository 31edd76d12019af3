"""Candidates are timed in turns, until the device has finished."""

import tensorflow as tf

from training.comparison.timing import rounds, synchronised


def test_candidates_take_turns_and_warm_up_rounds_are_not_counted():
    calls = []
    seconds = rounds({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 4)
    assert calls == ["a", "b"] * 7
    assert {name: len(values) for name, values in seconds.items()} == {"a": 4, "b": 4}
    assert all(value >= 0 for values in seconds.values() for value in values)


def test_a_synchronised_call_waits_for_the_device_after_the_run(monkeypatch):
    calls = []
    monkeypatch.setattr(tf.test.experimental, "sync_devices", lambda: calls.append("waited"))
    synchronised(lambda: calls.append("ran"))()
    assert calls == ["ran", "waited"]
