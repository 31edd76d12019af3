"""The sound of each detection as a file: false alarms to train with, or words to check."""

import collections
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from speechgru import audio
from speechgru.audio import wav_files
from speechgru.audio.sample_arrays import full_scale, scale
from speechgru.cli.standard_streams import complain, message
from speechgru.detection import Detection
from speechgru.errors import AudioError

_PIECES_PER_SECOND = 10  # so that a saved sound ends soon after its detection
_CONTEXT_SECONDS = 1.0  # before the window of the model


class SavedDetections:
    """Saves the last seconds of sound before each detection as `<label>/<time>_<confidence>.wav`.

    Args:
        folder: where the labels' folders are made.
        window_seconds: length of the model's window; a second before it is saved, too.

    Raises:
        SpeechGRUError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, window_seconds: float) -> None:
        wav_files.make_folder(folder)
        self._folder = folder
        self._seconds = window_seconds + _CONTEXT_SECONDS
        self._pieces: collections.deque[npt.NDArray[Any]] = collections.deque()
        self._has_failed = False

    def remember(
        self, blocks: Iterable[npt.NDArray[Any]], rate: int, name: str | None = None
    ) -> Iterator[npt.NDArray[Any]]:
        """Yield the blocks of a sound in short pieces, and hold the last seconds.

        Args:
            blocks: samples, (frames, channels), of a dtype that `Stream.feed` takes.
            rate: Hz.
            name: what the names of files begin with, before the time in the sound. Default None:
                they begin with the date and the time of day.
        """
        self._rate, self._name = rate, name
        self._pieces.clear()
        most, held, step = round(self._seconds * rate), 0, rate // _PIECES_PER_SECOND
        for block in blocks:
            for start in range(0, len(block), step):
                piece = block[start : start + step].copy()  # the next block may overwrite it
                self._pieces.append(piece)
                held += len(piece)
                while held - len(self._pieces[0]) >= most:
                    held -= len(self._pieces.popleft())
                yield piece

    def save(self, detection: Detection) -> None:
        """Save the sound before a detection. Call it before the next piece is read.

        If it cannot be written, as on a full disk, the first such call reports it on stderr.
        """
        sound = np.concatenate(self._pieces)[-round(self._seconds * self._rate) :]
        try:
            samples = audio.load(scale(sound, *full_scale(sound.dtype)), self._rate)
            wav_files.write(self._path(detection), samples)
        except (OSError, AudioError) as error:
            if not self._has_failed:
                complain(f"{message(error)}; not every detection is saved")
            self._has_failed = True

    def _path(self, detection: Detection) -> Path:
        """A path that is free, in the folder of the label."""
        folder = self._folder / wav_files.safe_name(detection.label)
        folder.mkdir(exist_ok=True)
        begin = _date_and_time() if self._name is None else f"{self._name}_{detection.time:.2f}"
        stem = f"{begin}_{detection.confidence:.3f}"
        path, number = folder / f"{stem}.wav", 1
        while path.exists():
            number += 1
            path = folder / f"{stem}_{number}.wav"
        return path


def _date_and_time() -> str:
    now = time.time()
    return f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{int(now % 1 * 1000):03}"
