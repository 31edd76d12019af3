"""Let a speaker say words: call the synthesiser, read what it wrote, trim it."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import soundfile
import soxr

from training.voices import espeak, festival, flite, kokoro, piper
from training.voices.errors import SynthesisError
from training.voices.sound import SAMPLE_RATE, trim
from training.voices.speakers import Speaker

SYNTHESISERS: dict[str, Callable[[Speaker, dict[str, Path]], None]] = {
    "espeak-ng": espeak.write_speech,
    "flite": flite.write_speech,
    "festival": festival.write_speech,
    "kokoro": kokoro.write_speech,
    "piper": piper.write_speech,
}
QUIET = -45  # dB relative to the loudest 10 ms; below it is what comes before or after the word
NEURAL_QUIET = -55  # the same for neural voices, which say a faint f
FESTIVAL_PAUSE = 0.2  # seconds of pause, partly hissing, around festival's words at usual speed


def speak(
    speaker: Speaker, words: Iterable[str], *, before: float, after: float
) -> list[tuple[str, np.ndarray]]:
    """Return each word with its sound: mono at 16 kHz, trimmed, with a peak of 1.

    Args:
        speaker: who speaks.
        words: words of the letters a to z.
        before: seconds of quiet before the word.
        after: seconds of quiet after the word.

    Raises:
        SynthesisError: the synthesiser is not installed, fails, or makes no sound.
    """
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        files = {word: Path(folder, f"{word}.wav") for word in words}
        SYNTHESISERS[speaker.engine](speaker, files)
        sounds = [(word, _read(path, word, speaker)) for word, path in files.items()]
    quiet = NEURAL_QUIET if speaker.is_neural else QUIET
    return [(word, trim(sound, before, after, quiet)) for word, sound in sounds]


def _read(path: Path, word: str, speaker: Speaker) -> np.ndarray:
    """Read what a synthesiser wrote; apply the speaker's size and set the peak to 1."""
    try:
        sound, rate = soundfile.read(path)
    except soundfile.SoundFileError:
        sound, rate = np.zeros(1), SAMPLE_RATE
    if speaker.engine == "festival":
        pause = int(FESTIVAL_PAUSE * speaker.stretch * rate)
        sound = sound[pause:-pause]
    if not sound.any():
        raise SynthesisError(
            f"{speaker.engine}: expected the sound of {word!r} in {path.parent}, found none"
        )
    sound = soxr.resample(sound, rate * speaker.size, SAMPLE_RATE)
    return np.asarray(sound / np.abs(sound).max())
