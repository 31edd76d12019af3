"""TODO: clips."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from speechgru import audio
from speechgru.recognizer import NOT_COMMANDS
from training.clips.errors import DataError
from training.clips.finding import SPEAKER_MARK, Clip, find_clips, find_recordings
from training.clips.window import WINDOW, one_second, to_int16
from training.clips.words import SILENCE, UNKNOWN
from training.data.evaluation_set import EvaluationSet, evaluation_set
from training.data.noise_recordings import held_out_noises
from training.output.messages import printable, warn

NOT_OFFICIAL = {
    "validation": "Validation clips, on which recipes are compared: their accuracy is not official "
    "test accuracy.",
    "testing": "Testing clips, with unknown words and silence drawn by the seed: their accuracy "
    "is not quite that on the official test set, which has its own.",
    "test set": "Clips of a folder in the layout of the official test set, each as it is.",
    "all": "Every clip of the folder, as it is: whether training heard some of them is not known.",
}


def read_set(data: Path, labels: Sequence[str], split: str, seed: int) -> tuple[EvaluationSet, str]:
    """The clips to measure on, and which key of NOT_OFFICIAL they are.

    Raises:
        DataError: no command has a folder, or the folder no clips of the split.
    """
    commands = [label for label in labels if label not in NOT_COMMANDS]
    found = find_clips(data)
    words = {clip.word for clip in found}
    present = [word for word in commands if word in words]
    if not present:
        some = ", ".join(sorted(words)[:20])
        raise DataError(f"{data}: no clips of {', '.join(commands)}; there are clips of {some}")
    official = [label for label in NOT_COMMANDS if (data / f"_{label}_").is_dir()]
    if split == "validation" and len(official) == len(NOT_COMMANDS):
        raise DataError(f"{data}: expected validation clips, found a test set: --split testing")
    if split == "all" or (split == "testing" and official):
        clips, kind = every_clip(data, found), "all" if split == "all" else "test set"
    else:
        clips, kind = evaluation_set(data, words=present, split=split, seed=seed), split
    missing = [word for word in commands if word not in clips.words]
    if missing:
        warn(f"{data}: no {of_split(split)}clips of {', '.join(missing)}")
    return clips, kind


def of_split(split: str) -> str:
    return "" if split == "all" else f"{split} "


def every_clip(data: Path, found: Sequence[Clip]) -> EvaluationSet:
    """All `found` clips of a folder, and those in `_unknown_` and `_silence_`, each as it is."""
    rows = [(clip.path, clip.word, clip.speaker) for clip in found]
    for path in find_recordings(data / "_unknown_"):  # <word>_<speaker>_nohash_<take>.wav
        rows.append((path, UNKNOWN, path.stem.partition(SPEAKER_MARK)[0].rpartition("_")[2]))
    rows += [(path, SILENCE, "") for path in find_recordings(data / "_silence_")]
    samples = np.empty((len(rows), WINDOW), np.int16)
    bar = tqdm(rows, desc="test clips", disable=None, leave=False, unit="file")
    for number, (path, _, _) in enumerate(bar):
        samples[number] = to_int16(one_second(audio.load(path)))
    paths, words, speakers = zip(*rows, strict=True)
    names = [printable(path.relative_to(data).as_posix()) for path in paths]
    noises = held_out_noises(data)
    return EvaluationSet(samples, list(words), names, list(speakers), noises)
