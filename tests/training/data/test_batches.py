"""How often clips of each label and origin are drawn."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.training.data.made_tasks import task
from training.clips.errors import DataError
from training.data.batches import NEGATIVE_SHARE, DrawShares, draw_batch

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def voices(word_folder, tmp_path_factory):
    """The same clips in a folder of their own."""
    return shutil.copytree(word_folder, tmp_path_factory.mktemp("voices") / "words")


def test_negative_speech_and_synthetic_clips_are_drawn_as_unknown_and_as_words(
    word_folder, voices, tmp_path
):
    (tmp_path / "negative").mkdir()
    speech = np.concatenate([0.1 * np.ones(40000), np.zeros(32000)])  # the end says nothing
    soundfile.write(tmp_path / "negative" / "a.wav", speech, 16000)
    made = task(word_folder, negative=[tmp_path / "negative"], synthetic=voices)
    plain = task(word_folder)
    assert len(made.pools[2][0]) == len(plain.pools[2][0]) + 5 + 30  # windows, birds
    assert len(made.pools[0][0]) == len(plain.pools[0][0]) + 30
    _, weights = made.pools[0]
    real, spoken = weights[: len(plain.pools[0][0])], weights[len(plain.pools[0][0]) :]
    assert spoken[0] == pytest.approx(0.2 * real[0])
    assert weights.sum() == pytest.approx(1)
    windows = slice(len(plain.pools[2][0]), len(plain.pools[2][0]) + 5)
    assert made.pools[2][1][windows].sum() == pytest.approx(NEGATIVE_SHARE)
    np.testing.assert_array_equal(made.validation, plain.validation)


def test_synthetic_clips_are_at_least_their_share_of_every_label(word_folder, voices, tmp_path):
    soundfile.write(tmp_path / "a.wav", 0.1 * np.ones(40000), 16000)
    for negative in ([], [tmp_path]):
        made = task(word_folder, negative=negative, synthetic=voices, synthetic_share=0.4)
        for label in range(3):
            assert made.pools[label][1][-30:].sum() == pytest.approx(0.4)


def test_batches_hold_the_shares_asked_for(word_folder):
    made = task(word_folder)
    rng = np.random.default_rng(0)
    rows, targets = draw_batch(made, 20_000, 0.2, 0.1, rng)
    shares = np.bincount(targets) / 20_000
    np.testing.assert_allclose(shares, [0.35, 0.35, 0.2, 0.1], atol=0.02)
    for label, (pool, _) in enumerate(made.pools):
        assert set(rows[targets == label]) == set(pool)


def test_a_share_of_unknown_is_splices_of_commands_with_other_letters(word_folder):
    made = task(word_folder, spliced_share=0.25)
    rows, probabilities = made.pools[2]
    spliced = made.lists["training_unknown"]
    words = [{key.split("/")[0] for key in line.split("+")} for line in spliced]
    assert words == [{"yes", "no"}] * (len(made.lists["training"]) // 2)
    assert probabilities[rows >= len(made.clips) - len(spliced)].sum() == pytest.approx(0.25)
    alike = task(word_folder, words=["yes"], spliced_share=0.25)
    assert not alike.lists["training_unknown"]
    assert alike.pools[1][1].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((-1, 0, 0), "synthetic_weight: expected 0 or more, found -1"),
        ((float("nan"), 0, 0), "synthetic_weight"),
        ((1, 1.5, 0), "synthetic_share: expected 0 to 1, found 1.5"),
        ((1, 0, -0.1), "spliced_share: expected 0 to 1"),
    ],
)
def test_shares_are_checked(shares, message):
    with pytest.raises(DataError, match=message):
        DrawShares(*shares)


POOLS = """
import numpy as np
from pathlib import Path
from training.data.batches import DrawShares, make_pools
from training.data.clip_table import ClipTable

table = ClipTable(12, 16000)
silent = np.zeros(16000, np.int16)
table.add("silent", "silence", "", silent)
for origin in ("recorded", "negative", "synthetic", "splice"):
    for number in range(2):
        table.add(origin, "unknown", f"{origin} {number}", silent)
table.add("recorded", "yes", "yes", silent)
shares = DrawShares(0.0, 0.3, 0.15)
pools = make_pools(table, ("yes", "unknown", "silence"), shares, Path("data"))
print([probabilities.tobytes().hex() for _, probabilities in pools])
"""


def test_probabilities_do_not_depend_on_the_hashes_of_a_process():
    results = {
        subprocess.run(
            [sys.executable, "-c", POOLS],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (0, 1)  # they order the origins differently
    }
    assert len(results) == 1
