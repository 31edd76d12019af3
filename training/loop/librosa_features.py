"""Features of all clips by librosa, computed once and kept in a cache."""

import dataclasses
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from speechgru.features import MFCCConfig, log_mel
from training.augmentation.pipeline import augment
from training.clips.window import WINDOW
from training.data.task import Task
from training.output.atomic_files import replacing
from training.recipes.recipe import Recipe

SILENT_CLIPS = 2_000


def librosa_log_mel(
    clips: npt.NDArray[np.int16], config: MFCCConfig, cache: Path
) -> npt.NDArray[np.float32]:
    """Log-mel power of clips, as `speechgru.mfcc` has it before the DCT.

    Args:
        clips: int16, shape (clips, samples).
        config: front-end settings.
        cache: folder in which the result is kept, under the hash of clips and settings.

    Returns:
        float32, shape (clips, frames, n_mels); read from the disk as it is needed.

    Raises:
        OSError: the cache cannot be written.
    """
    settings = json.dumps(dataclasses.asdict(config), sort_keys=True).encode()
    digest = hashlib.blake2b(np.ascontiguousarray(clips), key=hashlib.sha256(settings).digest())
    path = cache / f"log-mel-{digest.hexdigest()[:32]}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (len(clips), config.frames(clips.shape[1]), config.n_mels)
        with replacing(path) as unfinished:
            out = np.lib.format.open_memmap(unfinished, "w+", np.float32, shape)

            def compute(row: int) -> None:
                out[row] = log_mel(clips[row] / np.float32(32768), config)

            with ThreadPoolExecutor() as pool:
                rows = pool.map(compute, range(len(clips)))
                for _ in tqdm(rows, "features", len(clips), disable=None, leave=False):
                    pass
            out.flush()
    features: npt.NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    return features


def with_silence(task: Task, recipe: Recipe) -> Task:
    """The task with clips of silence as augmentation makes them, for features that are kept.

    Where audio is augmented in the graph, silence gets another room tone in every batch. A model
    that only heard digital zeros would take any room for a word.
    """
    settings, batch = recipe.augment, np.zeros((500, WINDOW), np.int16)
    silent = np.ones(len(batch), bool)
    tones = [
        augment(batch, silent, task.noise, (recipe.seed, number), settings)
        for number in range(SILENT_CLIPS // len(batch))
    ]
    clips = np.concatenate([task.clips, np.int16(np.round(np.concatenate(tones) * 32767))])
    rows, _ = task.pools[-1]
    rows = np.concatenate([rows, np.arange(len(task.clips), len(clips), dtype=np.int32)])
    pool = rows, np.full(len(rows), 1 / len(rows))
    return dataclasses.replace(task, clips=clips, pools=[*task.pools[:-1], pool])
