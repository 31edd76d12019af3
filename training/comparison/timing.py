"""Timing of several candidates in turns."""

import time
from collections.abc import Callable, Mapping

WARM_UP_ROUNDS = 3


def synchronised(run: Callable[[], object]) -> Callable[[], None]:
    """Return a call that also waits until TensorFlow's devices have finished.

    Without it, a call returns while a GPU still computes.
    """
    import tensorflow as tf

    def run_to_the_end() -> None:
        run()
        tf.test.experimental.sync_devices()

    return run_to_the_end


def rounds(candidates: Mapping[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
    """Time candidates in turns, so that a change of the machine's speed affects all alike.

    Args:
        candidates: what to call, by name.
        count: number of rounds. Three more come first and are not counted.

    Returns:
        The seconds of each candidate in each round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(-WARM_UP_ROUNDS, count):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            if number >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds
