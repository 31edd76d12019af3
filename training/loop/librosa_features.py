"""Features of all clips by librosa, computed once and stored in a cache."""

import dataclasses
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from speechgru.atomic_files import replacing
from speechgru.features import MFCCConfig, log_mel
from training.augmentation.pipeline import augment
from training.augmentation.random_draws import RandomDraws
from training.data.task import Task
from training.recipes.recipe import Recipe

SILENT_CLIPS = 2_000
SILENT_BATCH = 500


def librosa_log_mel(
    clips: npt.NDArray[np.int16], config: MFCCConfig, cache: Path
) -> npt.NDArray[np.float32]:
    """Compute the log-mel spectrogram of clips, or read it from the cache.

    Args:
        clips: int16, shape (clips, samples).
        config: front-end settings.
        cache: folder for the result, which is named by a hash of clips and settings.

    Returns:
        float32, shape (clips, frames, n_mels), in dB, as `speechgru.mfcc` has it before the DCT;
        mapped to memory.

    Raises:
        OSError: the cache cannot be written to.
    """
    settings = json.dumps(dataclasses.asdict(config), sort_keys=True).encode()
    data = np.ascontiguousarray(clips).data
    digest = hashlib.blake2b(data, key=hashlib.sha256(settings).digest())
    path = cache / f"log-mel-{digest.hexdigest()[:32]}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as unfinished:
            _compute(clips, config, unfinished)
    features: npt.NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    return features


def _compute(clips: npt.NDArray[np.int16], config: MFCCConfig, path: Path) -> None:
    """Write the features to a file. It is closed on return, or Windows could not rename it."""
    shape = (len(clips), config.frames(clips.shape[1]), config.n_mels)
    out = np.lib.format.open_memmap(path, "w+", np.float32, shape)

    def compute(row: int) -> None:
        out[row] = log_mel(clips[row] / np.float32(32768), config)

    with ThreadPoolExecutor() as pool:
        rows = pool.map(compute, range(len(clips)))
        for _ in tqdm(rows, "features", len(clips), disable=None, leave=False):
            pass
    out.flush()


def with_silence(task: Task, recipe: Recipe) -> Task:
    """Return a task with 2,000 more clips of silence, augmented, for features computed once.

    Where audio is augmented in the graph, each batch has silence with other background noise. A
    model that has seen only digital zeros as silence takes background noise for a word.
    """
    settings, batch = recipe.augment, np.zeros((SILENT_BATCH, task.window), np.int16)
    is_silence = np.ones(len(batch), bool)
    noises = [
        augment(
            batch,
            is_silence,
            task.noise,
            RandomDraws((recipe.seed, number), SILENT_BATCH),
            settings,
        )
        for number in range(SILENT_CLIPS // len(batch))
    ]
    clips = np.concatenate([task.clips, np.int16(np.round(np.concatenate(noises) * 32767))])
    rows, _ = task.pools[-1]
    rows = np.concatenate([rows, np.arange(len(task.clips), len(clips), dtype=np.int32)])
    pool = rows, np.full(len(rows), 1 / len(rows))
    return dataclasses.replace(task, clips=clips, pools=[*task.pools[:-1], pool])
