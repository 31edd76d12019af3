"""Refuse folders to train on that may hold clips that are held out."""

from pathlib import Path

from training.clips.errors import DataError
from training.clips.finding import noise_folders
from training.data.sources import DataSources
from training.output.messages import printable


def check_sources(sources: DataSources) -> None:
    """Check that no other folder has clips of the data folder.

    Raises:
        DataError: a folder is, holds or lies in the data folder, unless it is a noise folder in
            `_background_noise_`.
    """
    data = sources.data.resolve()
    folders = [("synthetic", sources.synthetic), ("noise", sources.noise)]
    for kind, folder in [*(("negative", folder) for folder in sources.negative), *folders]:
        if folder is None or not _overlap(folder.resolve(), data):
            continue
        if kind != "noise" or not _is_background_noise(folder, sources.data):
            raise DataError(
                f"{printable(folder)}: expected a folder apart from the data folder "
                f"{printable(sources.data)}, whose clips to validate on and to test with may be "
                "in it"
            )


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _is_background_noise(folder: Path, data: Path) -> bool:
    if not data.is_dir():
        return False
    return any(folder.resolve().is_relative_to(own.resolve()) for own in noise_folders(data))
