"""Takes from the microphone: prompts, the level, playback, and what the user says to a take."""

import enum
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from speechgru.audio import loudspeaker, takes
from speechgru.audio.microphone import Microphone, MicrophoneError
from speechgru.audio.mixing import mix
from speechgru.audio.resampling import SAMPLE_RATE, Resampler
from speechgru.audio.sample_arrays import Samples
from speechgru.audio.take_folder import TakeFolder
from speechgru.cli.level_meter import level_text
from speechgru.cli.standard_streams import complain, print_result, show
from speechgru.cli.status_line import StatusLine
from speechgru.detection import SILENCE
from speechgru.errors import SpeechGRUError, escape

_SETTLING_SECONDS = 0.3  # the click of a key, and the end of what was played
_ROOM_SECONDS = 0.3  # before the prompt: the noise of the room, and the margin of a take
_SILENCE_SECONDS = 1.0  # length of a take of silence
_MOST_REFUSED = 5  # takes one after another


class _Answer(enum.Enum):
    KEEP = ""
    AGAIN = "r"
    SKIP = "s"
    STOP = "q"


class RecordingSession:
    """Records takes of words, one after another.

    The user is asked about each take if stdin is a terminal; otherwise all usable takes are saved.

    Args:
        microphone: a microphone that records.
        longest: seconds in which a take is spoken.
        playback: whether takes are played.
    """

    def __init__(self, microphone: Microphone, longest: float, *, playback: bool) -> None:
        self._microphone = microphone
        self._longest = longest
        self._playback = playback
        self._asks = sys.stdin is not None and sys.stdin.isatty()
        self._status = StatusLine()

    def record(self, folders: Sequence[TakeFolder], number: int) -> None:
        """Record words until the user stops, and say where the takes are.

        Args:
            folders: where the takes of each word are saved.
            number: takes of each word.

        Raises:
            MicrophoneError: the microphone no longer records.
            SpeechGRUError: no take can be used, one after another.
            OSError: a take cannot be written.
        """
        show(f"Microphone: {escape(self._microphone.device.name)}. Ctrl-C stops.")
        if self._asks:
            show("After a take: Enter saves it, r records it again, s skips the word, q stops.")
        try:
            for folder in folders:
                if not self._record_word(folder, number):
                    break
        finally:
            self._status.hide()
            for folder in folders:
                if folder.saved:
                    print_result(folder.summary())

    def _record_word(self, folder: TakeFolder, number: int) -> bool:
        """Record the takes of a word; whether to go on with the next one."""
        taken = 0
        while taken < number:
            samples = self._usable_take(folder.word, f"take {taken + 1} of {number}")
            self._play(samples)
            answer = self._ask(len(samples) / SAMPLE_RATE)
            if answer is _Answer.STOP:
                return False
            if answer is _Answer.SKIP:
                return True
            if answer is _Answer.KEEP:
                show(f"  saved as {escape(str(folder.save(samples)))}")
                taken += 1
        return True

    def _usable_take(self, word: str, place: str) -> Samples:
        """Record until a take can be used."""
        for _ in range(_MOST_REFUSED):
            samples, problem = self._take(word, place)
            if problem is None:
                return samples
            show(f"  {problem}. Once more:")
        raise SpeechGRUError(
            f"{escape(self._microphone.device.name)}: expected a take that can be used, found "
            f"{_MOST_REFUSED} in a row that cannot; --device chooses another microphone"
        )

    def _take(self, word: str, place: str) -> tuple[Samples, str | None]:
        """Record one take, and say why it cannot be used, if so."""
        is_silence = word.casefold() == SILENCE
        longest = _SILENCE_SECONDS if is_silence else self._longest
        heard = self._hear(f"{escape(word)}, {place}", longest, is_silence=is_silence)
        if self._microphone.overflows:
            return heard, "sound was lost, as the machine was too busy"
        if not is_silence:
            return _choose(heard, longest)
        heard = heard[-round(longest * SAMPLE_RATE) :]
        return heard, "too loud: the sound is clipped" if takes.is_clipped(heard) else None

    def _hear(self, prompt: str, longest: float, *, is_silence: bool) -> Samples:
        """Prompt, and record up to a pause behind speech: 16 kHz."""
        pieces = self._pieces()
        heard = np.empty(0, np.float32)
        while len(heard) < _ROOM_SECONDS * SAMPLE_RATE:
            heard = np.concatenate([heard, next(pieces)])
        show(f"{prompt}: {'say nothing' if is_silence else 'speak now'}")
        end = len(heard) + longest * SAMPLE_RATE
        while len(heard) < end and (is_silence or not takes.has_ended(heard)):
            heard = np.concatenate([heard, next(pieces)])
        self._status.hide()
        return heard

    def _pieces(self) -> Iterator[Samples]:
        """Yield sound from the microphone at 16 kHz, from now on, and show its level."""
        self._microphone.discard()
        rate = self._microphone.sample_rate
        resampler = Resampler(rate)
        settling = round(_SETTLING_SECONDS * rate)
        for block in self._microphone.blocks():
            if self._status.due():
                self._status.draw(level_text(block))
            settling -= len(block)
            if settling < 0:
                yield resampler.push(mix(block, None))

    def _play(self, samples: Samples) -> None:
        if not self._playback:
            return
        try:
            loudspeaker.play(samples)
        except MicrophoneError as error:
            complain(f"{error}; takes are not played")
            self._playback = False

    def _ask(self, seconds: float) -> _Answer:
        if not self._asks:
            return _Answer.KEEP
        while True:
            show(f"  {seconds:.1f} s. Enter, r, s or q? ", end="")
            try:
                line = sys.stdin.readline()
            except KeyboardInterrupt:
                show("")  # the cursor stands behind the question
                raise
            try:
                return _Answer(line.strip().lower()) if line else _Answer.STOP
            except ValueError:
                continue


def _choose(heard: Samples, longest: float) -> tuple[Samples, str | None]:
    """The longest take in what was heard, and why it cannot be used, if so."""
    found = takes.find_takes(heard, longest)
    if not found:
        return heard, "nothing was louder than the room"
    best = max(found, key=lambda take: (take.problem is None, take.end - take.start))
    if best.problem is None and takes.begins_in_speech(best):
        return heard, "it began before the prompt"
    if best.problem is None and takes.ends_in_speech(heard, best):
        return heard, f"it had not ended after {longest:g} s; --seconds S gives more time"
    return best.samples, best.problem
