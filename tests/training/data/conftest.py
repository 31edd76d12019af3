"""Tasks of a small folder of words."""

import pytest

from tests.training.data.made_tasks import task
from training.data.synthetic_noise import synthetic_noise


@pytest.fixture(scope="module", autouse=True)
def short_noises():
    """Make noises of one second instead of twelve: they take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "training.data.task.synthetic_noise",
            lambda speech, rng: synthetic_noise(speech, rng, seconds=1),
        )
        yield


@pytest.fixture(scope="module")
def plain(word_folder, short_noises):
    """The commands yes and no; bird is another word."""
    return task(word_folder)


@pytest.fixture(scope="module")
def own_words(word_folder, short_noises):
    """A task whose folders are all commands."""
    return task(word_folder, words=["all"])
