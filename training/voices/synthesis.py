"""Let a speaker say words or sentences: call the synthesiser, read what it wrote, trim it."""

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
QUIET = -45  # dB relative to the loudest 10 ms; below it is what comes before or after the speech
NEURAL_QUIET = -55  # the same for neural voices, which say a faint f
FESTIVAL_PAUSE = 0.2  # seconds of pause, partly hissing, around festival's speech at usual speed


def speak(
    speaker: Speaker,
    texts: Iterable[str],
    *,
    before: float,
    after: float,
    skip_silent: bool = False,
) -> list[tuple[str, np.ndarray]]:
    """Return each text with its sound: mono at 16 kHz, trimmed, with a peak of 1.

    Args:
        speaker: who speaks.
        texts: words or phrases of the letters of a language, mnemonics as `near_misses` writes
            them, or sentences as `sentences.normalise` returns them.
        before: seconds of quiet before the speech.
        after: seconds of quiet after the speech.
        skip_silent: whether to leave out texts of which the voice makes no sound, as some voices
            do of short words. Default False.

    Raises:
        SynthesisError: the synthesiser is not installed, fails, or makes no sound.
    """
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        files = {text: Path(folder, f"{number}.wav") for number, text in enumerate(texts)}
        SYNTHESISERS[speaker.engine](speaker, files)
        sounds = {text: _read(path, speaker) for text, path in files.items()}
        silent = [text for text, sound in sounds.items() if not sound.any()]
        if silent and not skip_silent:
            raise SynthesisError(
                f"{speaker.engine}: expected the sound of {silent[0]!r} in {folder}, found none"
            )
    quiet = NEURAL_QUIET if speaker.is_neural else QUIET
    return [
        (text, trim(sound / np.abs(sound).max(), before, after, quiet))
        for text, sound in sounds.items()
        if sound.any()
    ]


def _read(path: Path, speaker: Speaker) -> np.ndarray:
    """Read what a synthesiser wrote and apply the speaker's size; zeros if there is no sound."""
    try:
        sound, rate = soundfile.read(path)
    except soundfile.SoundFileError:
        sound, rate = np.zeros(1), SAMPLE_RATE
    if speaker.engine == "festival":
        pause = int(FESTIVAL_PAUSE * speaker.stretch * rate)
        sound = sound[pause:-pause]
    if not sound.any():
        return np.zeros(1)
    return np.asarray(soxr.resample(sound, rate * speaker.size, SAMPLE_RATE))
