"""Recognise many sounds in several processes, each with a Recognizer of its own."""

from __future__ import annotations

import contextlib
import os
import queue
import stat
import subprocess
import sys
import threading
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from speechgru import worker_process
from speechgru.audio import Source, describe
from speechgru.errors import AudioError, SpeechGRUError
from speechgru.recognizer import Recognizer
from speechgru.worker_process import Result

_Portable: TypeAlias = str | bytes | npt.NDArray[Any]  # what another process can get

_CHUNK_BYTES = 1 << 19  # of the sources that a worker gets at once
_LEAST_BYTES = 1 << 15  # what a source counts at least: a second of sound
_CHUNKS_PER_WORKER = 4  # given out before the oldest has been recognised
_TRIES = 2  # a process that ends may have been killed, as when the system runs out of memory


def recognize_all(
    recognizer: Recognizer,
    sources: Iterable[Source],
    sample_rate: int | None = None,
    *,
    workers: int = 1,
) -> Generator[Result, None, None]:
    """Recognise sounds in several processes, in order.

    Sources are taken from the iterable as they are needed, so there may be any number of them. A
    script needs no `if __name__ == "__main__"` for this. If a process ends, another one takes its
    place and recognises its source again. If that ends, too, the result is an AudioError.

    Args:
        recognizer: each process loads its model.
        sources: as in `Recognizer.recognize`. What other processes cannot read, such as pipes and
            file objects, is recognised in this process.
        sample_rate: as in `Recognizer.recognize`.
        workers: number of processes; 1: recognise in this process. Default 1.

    Yields:
        For each source a Recognition, or the error that says why there is none.

    Raises:
        ModelError: a process cannot load the model.
        SpeechGRUError: a process cannot be started.
    """
    if workers == 1:
        for source in sources:
            yield worker_process.attempt(recognizer, source, sample_rate)
        return
    with _Pool(recognizer, sample_rate, workers) as pool:
        yield from pool.recognize(sources)


class _Pool:
    """Threads, each of which gives chunks of sources to a worker and waits for the results."""

    def __init__(self, recognizer: Recognizer, sample_rate: int | None, workers: int) -> None:
        self._recognizer = recognizer
        self._sample_rate = sample_rate
        self._folder = _current_folder()  # that of the workers
        self._most_threads = workers
        self._threads: list[threading.Thread] = []
        self._workers: set[_Worker] = set()
        self._chunks: queue.SimpleQueue[_Chunk | None] = queue.SimpleQueue()
        self._closed = False

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for _thread in self._threads:
            self._chunks.put(None)
        for worker in list(self._workers):
            worker.kill()  # its thread stops waiting
        for thread in self._threads:
            if thread.is_alive():  # it may not have been started
                thread.join()

    def recognize(self, sources: Iterable[Source]) -> Iterator[Result]:
        """Yield the result for each source, in order."""
        chunks = self._submit(sources)
        pending: deque[_Chunk] = deque()
        while True:
            most = self._most_threads * _CHUNKS_PER_WORKER
            while len(pending) < most and (chunk := next(chunks, None)) is not None:
                pending.append(chunk)
            if not pending:
                return
            yield from pending.popleft().wait()

    def _submit(self, sources: Iterable[Source]) -> Iterator[_Chunk]:
        """Give the sources to the threads, in chunks."""
        chunk = _Chunk()
        for source in sources:
            portable = _portable(source, self._folder)
            if portable is not None:
                chunk.add(source, *portable)
            if chunk.tasks and (portable is None or chunk.size >= _CHUNK_BYTES):
                yield self._start(chunk)
                chunk = _Chunk()
            if portable is None:  # at once: a file object may be closed when the next one is taken
                result = worker_process.attempt(self._recognizer, source, self._sample_rate)
                yield _Chunk.of_result(result)
        if chunk.tasks:
            yield self._start(chunk)

    def _start(self, chunk: _Chunk) -> _Chunk:
        self._chunks.put(chunk)
        if len(self._threads) < self._most_threads:
            thread = threading.Thread(target=self._run, name="speechgru-worker", daemon=True)
            self._threads.append(thread)
            try:
                thread.start()
            except RuntimeError as error:  # no memory for its stack, or too many threads
                self._threads.remove(thread)
                if not self._threads:
                    raise SpeechGRUError(f"expected a thread, found: {error}") from error
                self._most_threads = len(self._threads)
        return chunk

    def _run(self) -> None:
        """Recognise chunks until the pool is closed."""
        worker: _Worker | None = None
        while (chunk := self._chunks.get()) is not None and not self._closed:
            try:
                for source, portable in chunk.tasks:
                    worker, result = self._attempt(worker, source, portable)
                    chunk.results.append(result)
            except BaseException as error:  # it belongs to the thread that waits for the chunk
                chunk.error = error
            chunk.done.set()

    def _attempt(
        self, worker: _Worker | None, source: Source, portable: _Portable
    ) -> tuple[_Worker | None, Result]:
        """Recognise a source in a worker or, without one, in a new one; return both."""
        status = ""
        for _ in range(_TRIES):
            worker = worker or self._start_worker()
            try:
                return worker, worker.recognize(portable)
            except EOFError:
                status = self._remove(worker)
                worker = None
        return None, AudioError(
            f"{describe(source)}: expected sound that can be decoded, "
            f"found that decoding it ended the process with {status}"
        )

    def _start_worker(self) -> _Worker:
        status = ""
        for _ in range(_TRIES):
            if self._closed:
                break
            worker = _Worker(self._folder)
            self._workers.add(worker)
            try:
                if self._closed:  # too late for `__exit__` to see the worker
                    worker.kill()
                worker.load(self._recognizer, self._sample_rate)
                return worker
            except EOFError:
                status = self._remove(worker)
        raise SpeechGRUError(f"expected a worker process, found that it ended with {status}")

    def _remove(self, worker: _Worker) -> str:
        """Forget a worker that has ended, and say how."""
        self._workers.discard(worker)
        return worker.kill()


class _Chunk:
    """Some sources, and their results when they are done."""

    def __init__(self) -> None:
        self.tasks: list[tuple[Source, _Portable]] = []  # each source, and as it is sent
        self.size = 0
        self.results: list[Result] = []
        self.error: BaseException | None = None
        self.done = threading.Event()

    @classmethod
    def of_result(cls, result: Result) -> _Chunk:
        """A chunk that is done."""
        chunk = cls()
        chunk.results.append(result)
        chunk.done.set()
        return chunk

    def add(self, source: Source, portable: _Portable, size: int) -> None:
        """Add a source of some bytes."""
        self.tasks.append((source, portable))
        self.size += max(size, _LEAST_BYTES)

    def wait(self) -> list[Result]:
        """Wait for the results.

        Raises:
            Exception: what the thread has raised.
        """
        self.done.wait()
        if self.error is not None:
            raise self.error
        return self.results


class _Worker:
    """A process that recognises one source after the other, in a given current folder."""

    def __init__(self, folder: str | None) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", worker_process.COMMAND.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={"OPENBLAS_NUM_THREADS": "1", **os.environ},
                # Ctrl-C is for the main process, which then ends its workers.
                process_group=0 if os.name == "posix" else None,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:  # such as too many processes
            raise SpeechGRUError(f"expected a worker process, found: {error.strerror}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: IO[bytes] = self._process.stdin
        self._results: IO[bytes] = self._process.stdout

    def load(self, recognizer: Recognizer, sample_rate: int | None) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be loaded.
            EOFError: the process has ended.
        """
        answer = self._ask({**recognizer.__getstate__(), "sample_rate": sample_rate})
        if answer:
            error = worker_process.decode_result(answer)
            assert isinstance(error, Exception)
            raise error

    def recognize(self, source: _Portable) -> Result:
        """Recognise one source.

        Raises:
            EOFError: the process has ended.
        """
        answer = self._ask(*worker_process.encode_source(source))
        for message in answer.pop("warnings"):
            warnings.warn(message, stacklevel=2)
        return worker_process.decode_result(answer)

    def kill(self) -> str:
        """End the process, and say how it had ended before, if it had."""
        with contextlib.suppress(OSError):
            self._process.kill()
        code = self._process.wait()
        for stream in (self._requests, self._results):
            with contextlib.suppress(OSError, ValueError):  # of a request that was not written
                stream.close()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _ask(self, message: dict[str, Any], payload: bytes = b"") -> dict[str, Any]:
        try:
            worker_process.send(self._requests, message, payload)
            return worker_process.receive(self._results)[0]
        except (OSError, ValueError) as error:  # a broken or closed pipe
            raise EOFError from error


def _current_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it has been deleted
        return None


def _portable(source: Source, folder: str | None) -> tuple[_Portable, int] | None:
    """A source that another process in `folder` can read, and its bytes; None if it cannot."""
    if isinstance(source, bytes):
        return source, len(source)
    if type(source) is np.ndarray and source.dtype.kind in "fiu":
        return source.copy(), source.nbytes  # the caller may use its memory for the next one
    if not isinstance(source, str | os.PathLike):
        return None
    try:
        path = os.fsdecode(source)
        if not os.path.isabs(path) and _current_folder() != folder:  # the iterable has changed it
            return None
        status = os.stat(path)
    except Exception:  # recognition reports what is wrong with the path
        return None
    # /dev/stdin and /dev/fd/3 are other files in another process.
    if not stat.S_ISREG(status.st_mode) or os.path.abspath(path).startswith(("/dev/", "/proc/")):
        return None
    return path, status.st_size
