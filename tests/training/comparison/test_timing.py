"""Candidates are timed in turns."""

from training.comparison.timing import rounds


def test_candidates_take_turns_and_warm_up_rounds_are_not_counted():
    calls = []
    seconds = rounds({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 4)
    assert calls == ["a", "b"] * 7
    assert {name: len(values) for name, values in seconds.items()} == {"a": 4, "b": 4}
    assert all(value >= 0 for values in seconds.values() for value in values)
