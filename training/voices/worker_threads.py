"""A thread for each processor: the synthesisers are programs, or release Python's lock."""

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor


@contextlib.contextmanager
def worker_threads() -> Iterator[ThreadPoolExecutor]:
    """Give a thread for each processor; work not yet started is cancelled on an interruption."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
