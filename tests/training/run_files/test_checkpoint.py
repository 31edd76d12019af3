"""Tests of training/run_files/checkpoint.py."""

import re

import numpy as np
import pytest

from speechgru.errors import SpeechGRUError
from training.run_files import checkpoint


def test_arrays_and_progress_come_back(tmp_path):
    arrays = [np.arange(3.0), np.float32(2), np.zeros((0, 2), np.int64)]
    checkpoint.save(tmp_path / "last.npz", arrays, {"histories": [[{"loss": 0.5}]]})
    found, progress = checkpoint.load(tmp_path / "last.npz")
    assert progress == {"histories": [[{"loss": 0.5}]]}
    for one, other in zip(arrays, found, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == other.dtype


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not an archive", b"[]", None])
def test_a_damaged_checkpoint_is_named(content, tmp_path):
    path = tmp_path / "last.npz"
    checkpoint.save(path, [np.arange(100.0)], {})
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(checkpoint.CheckpointError, match=re.escape(str(path))):
        checkpoint.load(path)


def test_a_pickle_is_not_loaded(tmp_path):
    path = tmp_path / "last.npz"
    np.savez(path, progress=np.array({"a": 1}, dtype=object))
    with pytest.raises(checkpoint.CheckpointError, match="allow_pickle=False"):
        checkpoint.load(path)


def test_its_error_is_one_of_the_package():
    assert issubclass(checkpoint.CheckpointError, SpeechGRUError)
    assert issubclass(checkpoint.CheckpointError, ValueError)
