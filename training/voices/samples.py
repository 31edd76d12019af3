"""The repository's sample sounds: each command in four voices and four sound formats."""

import tempfile
from pathlib import Path

import numpy as np
import soxr

from training.clips.levels import db_to_amplitude
from training.voices.availability import require_voices
from training.voices.sound import SAMPLE_RATE, add_noise, write_wav
from training.voices.speakers import SAMPLE_SPEAKERS
from training.voices.synthesis import speak
from training.voices.words import COMMANDS, SAMPLE_OTHERS

FORMATS = {  # rate, channels, libsndfile's subtype
    "8k-ulaw": (8000, 1, "ULAW"),
    "48k-float32": (48000, 1, "FLOAT"),
    "16k-pcm16": (16000, 1, "PCM_16"),
    "11k025-pcm8": (11025, 1, "PCM_U8"),
    "44k1-pcm24-stereo": (44100, 2, "PCM_24"),
    "22k05-pcm16": (22050, 1, "PCM_16"),
    "8k-alaw": (8000, 1, "ALAW"),
    "16k-float64": (16000, 1, "DOUBLE"),
    "12k-pcm24": (12000, 1, "PCM_24"),
    "32k-pcm16": (32000, 1, "PCM_16"),
    "8k-pcm16": (8000, 1, "PCM_16"),
    "22k05-pcm8-stereo": (22050, 2, "PCM_U8"),
}


def write_samples(out_dir: Path) -> int:
    """Write ``<word>-<voice>-<format>.wav`` files into `out_dir`; return how many.

    Files of the same names are replaced, one by one, once all are made. Other files stay.

    Raises:
        SynthesisError: a voice is missing.
        OSError: `out_dir` cannot be written to.
    """
    require_voices(SAMPLE_SPEAKERS.values())
    out_dir.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix=".samples-", dir=out_dir) as folder:
        made = []
        for i, (voice, speaker) in enumerate(SAMPLE_SPEAKERS.items()):
            words = [*COMMANDS, *SAMPLE_OTHERS]
            for j, (word, speech) in enumerate(speak(speaker, words, before=0.12, after=0.16)):
                # Twelve words and twelve formats: each format occurs once with each voice.
                name = list(FORMATS)[(j + 3 * i) % len(FORMATS)]
                rate, channels, subtype = FORMATS[name]
                sound = soxr.resample(add_noise(speech, -70, rng), SAMPLE_RATE, rate)
                sound *= db_to_amplitude(-6) / np.abs(sound).max()
                made.append(Path(folder, f"{word}-{voice}-{name}.wav"))
                write_wav(made[-1], np.outer(sound, [1, 0.8][:channels]), rate, subtype)
        for path in made:
            path.replace(out_dir / path.name)
    return len(made)
