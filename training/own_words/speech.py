"""The speech of a run for own words: spoken into the run's folder, or taken from it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from speechgru.atomic_files import write_text
from training.own_words.texts import texts_of
from training.voices.errors import SynthesisError
from training.voices.phrase_speakers import installed_voices
from training.voices.phrase_writing import Turn, listed, plan_turns, write_turns

CLIPS = "clips"  # <label>/*.wav by all voices; validation_list.txt names those of held-out voices
SENTENCES = {"training": "sentences", "held-out": "sentences_held_out"}
HOURS = {"training": 0.3, "held-out": 0.2}
