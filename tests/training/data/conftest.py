"""Tasks of a small folder of words, and a server on this machine to download from."""

import pytest

from tests.training.data.archive_server import running_server
from tests.training.data.made_tasks import task
from training.data import resumable_download


@pytest.fixture(scope="module")
def plain(word_folder):
    """The commands yes and no; bird is another word."""
    return task(word_folder)


@pytest.fixture(scope="module")
def own_words(word_folder):
    """A task whose folders are all commands."""
    return task(word_folder, words=["all"])


@pytest.fixture
def server(monkeypatch):
    """A running `archive_server`, with hardly a pause between two tries to download."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(resumable_download, "PAUSE", 0.001)
    with running_server() as server:
        yield server
