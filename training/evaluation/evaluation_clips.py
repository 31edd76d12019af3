"""Which clips a model is evaluated on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from speechgru import audio
from speechgru.detection import NOT_COMMANDS
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import SILENCE_FOLDER, UNKNOWN_FOLDER, find_clips
from training.clips.names import comparable
from training.clips.reading import CutWords
from training.clips.window import fit_window, to_int16
from training.clips.words import SILENCE, respell
from training.data.evaluation_set import EvaluationSet, evaluation_set
from training.data.noise_recordings import held_out_noises
from training.output.messages import printable, some, warn

Split = Literal["validation", "testing", "all"]
Kind = Literal["validation", "testing", "test set", "all"]

NOTES: dict[Kind, str] = {
    "validation": "Recipes were compared on the validation clips, so this is not official test "
    "accuracy.",
    "testing": "Unknown words and silence are drawn by the seed. The official test set has its "
    "own, so this is not quite official test accuracy.",
    "test set": "The folder has the layout of the official test set, and every clip is used as it "
    "is.",
    "all": "Every clip of the folder is used as it is. The model may have been trained on some of "
    "them.",
}


def read_evaluation_set(
    data: Path, labels: Sequence[str], split: Split, seed: int, window: int
) -> tuple[EvaluationSet, Kind]:
    """Read the clips to evaluate on.

    Args:
        data: a folder of <word>/*.wav.
        labels: the labels of the model.
        split: "validation" or "testing": the clips of that split, with unknown words and silence
            drawn by the seed. "all": every clip of the folder.
        seed: the seed of these draws, as in a recipe.
        window: samples of a clip.

    Returns:
        The clips, and their kind. The kind is "test set" where `split` is "testing" and the folder
        has `_unknown_` or `_silence_`, as the official test set has: then every clip is used.

    Raises:
        DataError: no command has a folder, or there are no clips of the split.
    """
    commands = [label for label in labels if label not in NOT_COMMANDS]
    found = respell(find_clips(data), commands)
    words = {clip.word for clip in found}
    present = [word for word in commands if word in words]
    if not present:
        raise DataError(
            f"{data}: no clips of {', '.join(commands)}; there are clips of {some(sorted(words))}"
        )
    kind = _kind(data, found, split)
    if kind == "validation" or kind == "testing":
        clips = evaluation_set(
            data, words=present, split=kind, seed=seed, window=window, found=found
        )
    else:
        clips = read_every_clip(data, found, present, window)
    missing = [word for word in commands if word not in clips.words]
    if missing:
        warn(f"{data}: no {describe_split(split)} of {', '.join(missing)}")
    return clips, kind


def describe_split(split: str) -> str:
    """Return what the clips of a split are called: "validation clips", or "clips" for all."""
    return "clips" if split == "all" else f"{split} clips"


def _kind(data: Path, found: Sequence[Clip], split: Split) -> Kind:
    test_folders = {comparable(clip.folder) for clip in found} & {UNKNOWN_FOLDER, SILENCE_FOLDER}
    if split == "validation" and len(test_folders) == 2:
        raise DataError(f"{data}: expected validation clips, found a test set: use --split testing")
    return "test set" if split == "testing" and test_folders else split


def read_every_clip(
    data: Path, found: Sequence[Clip], commands: Sequence[str], window: int
) -> EvaluationSet:
    """Read all clips that were found in a folder, and the noises that training does not use.

    Args:
        data: the folder.
        found: its clips.
        commands: words whose clips are named in a warning where they are cut.
        window: samples of a clip.
    """
    samples = np.empty((len(found), window), np.int16)
    cut = CutWords(commands)
    progress = tqdm(found, desc="reading clips", disable=None, leave=False, unit="file")
    for number, clip in enumerate(progress):
        sound = audio.load(clip.path)
        samples[number] = to_int16(fit_window(sound, window))
        cut.add(clip, cut.word_samples(clip, sound, window), window)
    cut.show()
    return EvaluationSet(
        samples,
        [clip.word for clip in found],
        [printable(clip.path.relative_to(data).as_posix()) for clip in found],
        ["" if clip.word == SILENCE else clip.speaker for clip in found],
        held_out_noises(data, window),
    )
