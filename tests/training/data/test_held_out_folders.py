"""Folders that may hold clips that are held out."""

import shutil

import pytest

from tests.training.data.made_tasks import task
from training.clips.errors import DataError
from training.data.held_out_folders import check_sources
from training.data.sources import DataSources


@pytest.mark.parametrize("kind", ["negative", "synthetic", "noise"])
@pytest.mark.parametrize("place", [".", "bird", "..", "bird/../yes"])
def test_a_folder_that_shares_clips_with_the_data_folder_is_refused(kind, place, word_folder):
    folder = word_folder / place
    sources = {kind: [folder] if kind == "negative" else folder}
    with pytest.raises(DataError, match="expected a folder apart from the data folder") as error:
        task(word_folder, **sources)
    assert f"data folder {word_folder}," in str(error.value)
    assert str(error.value).startswith(f"{folder}: ")


def test_links_into_the_data_folder_are_refused(word_folder, tmp_path):
    (tmp_path / "link").symlink_to(word_folder / "bird")
    with pytest.raises(DataError, match="link: expected a folder apart from"):
        task(word_folder, negative=[tmp_path / "link"])


def test_noise_may_lie_in_the_data_folders_noise(tmp_path):
    inner = tmp_path / "_Background_Noise_" / "fans"
    inner.mkdir(parents=True)
    check_sources(DataSources(tmp_path, noise=inner))
    check_sources(DataSources(tmp_path, noise=inner.parent))
    with pytest.raises(DataError, match="apart from the data folder"):
        check_sources(DataSources(tmp_path, negative=[inner], noise=inner))


def test_folders_with_alike_names_are_apart(tmp_path):
    for name in ("words", "words2"):
        (tmp_path / name).mkdir()
    other = tmp_path / "words2"
    check_sources(DataSources(tmp_path / "words", (other,), other, other))


@pytest.mark.parametrize("name", ["testing_list.txt", "Validation_List.txt"])
def test_synthetic_clips_in_lists_are_not_trained_on(name, word_folder, tmp_path):
    made = tmp_path / "yes"
    made.mkdir()
    for file in ("robot_nohash_0.wav", "robot_nohash_1.wav"):
        shutil.copy(next((word_folder / "yes").iterdir()), made / file)
    (tmp_path / name).write_text("yes/robot_nohash_1.wav\n")
    assert task(word_folder, synthetic=tmp_path).lists["synthetic"] == ["yes/robot_nohash_0.wav"]
