"""The picture of the augmentations."""

import matplotlib.image
import numpy as np

from training.figures.augmentations import COLUMNS, ROWS
from training.plot_augmentation import main


def test_the_picture_shows_every_augmentation(samples, tmp_path):
    path = tmp_path / "augmentation.png"
    sounds = sorted(samples.glob("*16k*.wav"))[:2]
    main([*map(str, sounds), "--out", str(path)])
    picture = matplotlib.image.imread(path)[..., :3]
    rows, columns = picture.shape[0] // ROWS, picture.shape[1] // COLUMNS
    cells = [
        picture[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns]
        for i in range(ROWS)
        for j in range(COLUMNS)
    ]
    first = cells[0][rows // 2 : rows * 5 // 6]  # the spectrogram before
    for cell in cells[1:]:
        assert np.abs(cell[rows // 2 : rows * 5 // 6] - first).mean() > 0.002
