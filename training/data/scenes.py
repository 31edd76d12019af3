"""Draw scenes: clips and sentences one after another, window by window."""

import numpy as np
import numpy.typing as npt

from training.clips.window import RATE
from training.data.batches import draw_batch
from training.data.task import Task

CONTINUE_PROBABILITY = 0.85  # of the next window of a recording, if there is one

Rows = npt.NDArray[np.int32]


def scene_windows(seconds: int, window: int) -> int:
    """Return the number of windows in a scene: 1 for a scene of 1 second, which is a single clip.

    A longer scene has at least two windows and lasts at least `seconds`.

    Args:
        seconds: seconds in a scene, as in a recipe.
        window: samples of a window.
    """
    return max(2, -(-seconds * RATE // window)) if seconds > 1 else 1


class SceneDrawer:
    """Draws batches of scenes.

    A window of a scene is a clip of its own, or the next window of the recording of negative speech
    that the window before comes from. So most sentences last several windows, from one scene into
    the next scene of the same place in the batch.

    Args:
        task: the data.
        size: scenes in a batch.
        windows: windows in a scene; see `scene_windows`.
        unknown_share: share of "unknown" in the clips of their own.
        silence_share: share of "silence" in them. Commands share the rest equally.
    """

    def __init__(
        self, task: Task, size: int, windows: int, unknown_share: float, silence_share: float
    ) -> None:
        self.task, self.size, self.windows = task, size, windows
        self.shares = unknown_share, silence_share
        self.restart()

    def restart(self) -> None:
        """Forget the scenes before, as at the start of an epoch."""
        self._row = np.zeros(self.size, np.int32)  # digital silence
        self._label = np.full(self.size, len(self.task.labels) - 1, np.int32)

    def draw(self, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw a batch.

        Returns:
            Rows of `task.clips`, int32, shape (batch, windows), and labels, int32, shape (batch,
            1 + windows). The first label is that of the window before the scene.
        """
        rows, labels = [], [self._label]
        for _ in range(self.windows):
            self._row, self._label = self._next(rng)
            rows.append(self._row)
            labels.append(self._label)
        return np.stack(rows, axis=1), np.stack(labels, axis=1)

    def label_shares(self, batches: int = 400) -> npt.NDArray[np.float64]:
        """Return how often each label is drawn, estimated from some batches of an epoch.

        Sentences go on, so "unknown" is drawn more often than `unknown_share`.

        Args:
            batches: how many. Default 400.
        """
        rng = np.random.default_rng(0)
        self.restart()
        labels = np.concatenate([self.draw(rng)[1][:, 1:].ravel() for _ in range(batches)])
        self.restart()
        counts = np.bincount(labels, minlength=len(self.task.labels))
        shares: npt.NDArray[np.float64] = counts / counts.sum()
        shares[:-2] = shares[:-2].mean()  # commands are drawn equally
        return shares

    def _next(self, rng: np.random.Generator) -> tuple[Rows, Rows]:
        rows, labels = draw_batch(self.task, self.size, *self.shares, rng)
        following = self.task.following[self._row]
        continues = (following >= 0) & (rng.random(self.size) < CONTINUE_PROBABILITY)
        unknown = np.int32(len(self.task.labels) - 2)
        return np.where(continues, following, rows), np.where(continues, unknown, labels)
