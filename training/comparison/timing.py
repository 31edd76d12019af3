"""Turns that several candidates take, so that a drift of the machine's speed meets all."""

import time
from collections.abc import Callable
from typing import Any


def rounds(candidates: dict[str, Callable[[], Any]], count: int) -> dict[str, list[float]]:
    """Seconds of every candidate in every round, after three that are not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(count + 3):
        for name, run in candidates.items():
            began = time.perf_counter()
            run()
            if number >= 3:
                seconds[name].append(time.perf_counter() - began)
    return seconds
