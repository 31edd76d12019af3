"""Scenes: seconds of sound one after another."""

import dataclasses

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from tests.training.data.made_tasks import task
from training.data.scenes import CONTINUE_PROBABILITY, SceneDrawer, scene_windows


@pytest.fixture(scope="module")
def made(word_folder, tmp_path_factory):
    """A task with a recording of ten seconds, whose windows overlap by half."""
    folder = tmp_path_factory.mktemp("negative")
    rising = np.linspace(0.01, 0.5, 160_000)
    soundfile.write(folder / "a.wav", rising * np.sin(np.arange(160_000)), 16000)
    made = task(word_folder, negative=[folder], negative_share=0.9)
    assert (made.following >= 0).sum() == 17  # of 19 windows
    return made


def test_a_recording_goes_on_with_its_next_second(made):
    for row in np.flatnonzero(made.following >= 0):
        window, following = made.clips[row], made.clips[made.following[row]]
        np.testing.assert_array_equal(window[8000:], made.clips[row + 1, :8000])
        np.testing.assert_array_equal(following[:8000], made.clips[row + 1, 8000:])


def test_sentences_go_on_from_second_to_second_and_into_the_next_scene(made):
    drawer = SceneDrawer(made, 500, 3, unknown_share=0.4, silence_share=0.2)
    rng = np.random.default_rng(0)
    first_rows, first_labels = drawer.draw(rng)
    rows, labels = drawer.draw(rng)
    assert (rows.shape, labels.shape) == ((500, 3), (500, 4))
    np.testing.assert_array_equal(labels[:, 0], first_labels[:, -1])
    whole = np.concatenate([first_rows, rows], axis=1)
    can_go_on = made.following[whole[:, :-1]] >= 0
    goes_on = whole[:, 1:] == made.following[whole[:, :-1]]
    assert can_go_on.sum() > 200
    assert goes_on[can_go_on].mean() == pytest.approx(CONTINUE_PROBABILITY, abs=0.05)
    unknown = len(made.labels) - 2
    labels = np.concatenate([first_labels[:, 2:], labels[:, 1:]], axis=1)
    assert (labels[goes_on] == unknown).all()


def test_other_seconds_have_the_shares_asked_for(made):
    alone = dataclasses.replace(made, following=np.full_like(made.following, -1))
    drawer = SceneDrawer(alone, 2000, 5, unknown_share=0.4, silence_share=0.2)
    rows, labels = drawer.draw(np.random.default_rng(0))
    shares = np.bincount(labels[:, 1:].ravel()) / 10_000
    np.testing.assert_allclose(shares, [0.2, 0.2, 0.4, 0.2], atol=0.02)
    for label, (pool, _) in enumerate(made.pools):
        assert set(rows[labels[:, 1:] == label]) <= set(pool)


def test_the_shares_of_labels_count_sentences_that_go_on(made):
    alone = dataclasses.replace(made, following=np.full_like(made.following, -1))
    drawer = SceneDrawer(alone, 50, 3, unknown_share=0.4, silence_share=0.2)
    np.testing.assert_allclose(drawer.label_shares(), [0.2, 0.2, 0.4, 0.2], atol=0.01)
    drawer = SceneDrawer(made, 50, 3, unknown_share=0.4, silence_share=0.2)
    labels = [drawer.draw(np.random.default_rng(n))[1][:, 1:].ravel() for n in range(400)]
    shares = np.bincount(np.concatenate(labels)) / np.concatenate(labels).size
    assert shares[2] > 0.6
    np.testing.assert_allclose(drawer.label_shares(), shares, atol=0.01)


@given(seconds=st.integers(2, 30), hops=st.integers(25, 75))
def test_a_scene_is_long_enough_and_of_two_windows_at_least(seconds, hops):
    window = 640 * hops
    windows = scene_windows(seconds, window)
    assert windows >= 2
    assert windows * window >= seconds * 16_000
    assert windows == 2 or (windows - 1) * window < seconds * 16_000
    assert scene_windows(seconds, 16_000) == seconds
    assert scene_windows(1, window) == 1


def test_a_recording_goes_on_with_its_next_window_whatever_its_length(word_folder, tmp_path):
    rising = np.linspace(0.01, 0.5, 160_000)
    soundfile.write(tmp_path / "a.wav", rising * np.sin(np.arange(160_000)), 16000)
    made = task(word_folder, negative=[tmp_path], windows=[35_200])
    rows = np.flatnonzero(made.following >= 0)
    assert (made.window, len(rows)) == (35_200, 6)  # windows begin every 1.1 s, until 7.7 s
    for row in rows:
        whole = np.concatenate([made.clips[row], made.clips[made.following[row]]])
        np.testing.assert_array_equal(made.clips[row + 1], whole[17_600:-17_600])


def test_scenes_of_an_epoch_do_not_depend_on_those_before(made):
    drawer = SceneDrawer(made, 20, 2, unknown_share=0.4, silence_share=0.2)
    first = drawer.draw(np.random.default_rng(1))
    drawer.draw(np.random.default_rng(2))
    drawer.restart()
    again = drawer.draw(np.random.default_rng(1))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (first[1][:, 0] == len(made.labels) - 1).all()
