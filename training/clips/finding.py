"""Find the sound files of a data folder; name what is not read."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechgru.detection import NOT_COMMANDS
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.names import comparable, tidy
from training.clips.speakers import SPEAKER_MARK, speaker_of
from training.output.messages import printable, some, warn

EXTENSIONS = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff"}
NOISE_FOLDER = "_background_noise_"
UNKNOWN_FOLDER, SILENCE_FOLDER = (f"_{label}_" for label in NOT_COMMANDS)  # of the test set
LISTS = ("validation_list", "testing_list")

# Files and folders that systems leave behind, besides those that begin with a dot.
_SYSTEM_FILES = {
    "__macosx",
    "thumbs.db",
    "desktop.ini",
    "icon\r",
    "@eadir",
    "$recycle.bin",
    "system volume information",
    "lost+found",
}
_DOCUMENTS = ("readme", "license", "licence", "copying", "notice", "citation", "changelog")


def find_clips(folder: Path) -> list[Clip]:
    """Find the clips of a folder of `<word>/<file>`.

    The clips are sorted by folder and file. Folders whose names differ only in letter case or
    Unicode form hold one word. `unknown` and `silence`, in any case and also as `_unknown_` and
    `_silence_`, hold clips of those labels. What is not read is named in warnings: files without
    a sound file's extension, folders without a clip, files beside the folders, and other folders
    that begin with "_". Hidden files and those of the operating system are ignored.

    Args:
        folder: the data folder.

    Raises:
        DataError: there is no such folder, it holds no clip, or sound files lie in folders below
            a word's folder, or the name of a word's folder is not UTF-8.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of <word>/*.wav, found none")
    folders, files = _entries(folder)
    word_folders = [_read_word_folder(path) for path in folders if _is_word_folder(path.name)]
    _refuse_names_that_are_no_text(folder, word_folders)
    _refuse_deeper_files(folder, word_folders)
    _name_what_is_not_read(folder, folders, files, word_folders)
    words = _words_of(folder, [found for found in word_folders if found.files])
    clips = _with_one_spelling(
        [
            _clip(path, words[found.name], found.name)
            for found in sorted(word_folders, key=_order)
            for path in found.files
        ]
    )
    if not clips:
        inside = some([printable(path.name) for path in sorted((*folders, *files))], 5)
        raise DataError(f"{folder}: expected folders <word>/*.wav, found {inside or 'nothing'}")
    return clips


def find_recordings(folder: Path) -> list[Path]:
    """Find all sound files anywhere below a folder; name the others in a warning.

    Args:
        folder: a folder; it may be missing.

    Returns:
        The paths, sorted. Hidden files and those of the operating system are ignored.
    """
    files = sorted(_files_below(folder)) if folder.is_dir() else []
    unread = [path for path in files if not _is_sound(path) and not _is_document(path)]
    _warn_of_unread(folder, unread)
    return [path for path in files if _is_sound(path)]


def noise_folders(data: Path) -> list[Path]:
    """Find the folder of background noise in a data folder, in whatever case its name is."""
    return [path for path in _entries(data)[0] if comparable(path.name) == NOISE_FOLDER]


@dataclasses.dataclass(frozen=True)
class _WordFolder:
    """What a word's folder holds.

    Attributes:
        name: its name.
        files: the sound files in it.
        others: other files, in it and below.
        deeper: the sound files in folders below.
        folders: the folders in it.
    """

    name: str
    files: list[Path]
    others: list[Path]
    deeper: list[Path]
    folders: list[Path]


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders and the files in a folder, sorted, without hidden and system files."""
    folders: list[Path] = []
    files: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.casefold() in _SYSTEM_FILES:
            continue
        (folders if path.is_dir() else files).append(path)
    return folders, files


def _files_below(folder: Path, parents: Sequence[Path] = ()) -> Iterator[Path]:
    """All files below a folder; linked folders are followed, but not in circles."""
    parents = [*parents, folder.resolve()]
    folders, files = _entries(folder)
    yield from files
    for inner in folders:
        if inner.resolve() not in parents:
            yield from _files_below(inner, parents)


def _read_word_folder(folder: Path) -> _WordFolder:
    folders, files = _entries(folder)
    deeper = sorted(path for inner in folders for path in _files_below(inner))
    return _WordFolder(
        name=folder.name,
        files=[path for path in files if _is_sound(path)],
        others=[p for p in (*files, *deeper) if not _is_sound(p) and not _is_document(p)],
        deeper=[path for path in deeper if _is_sound(path)],
        folders=folders,
    )


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS


def _is_document(path: Path) -> bool:
    return path.suffix.lower() == ".md" or path.name.casefold().startswith(_DOCUMENTS)


def _is_word_folder(name: str) -> bool:
    return not name.startswith("_") or _reserved_label(name) is not None


def _reserved_label(name: str) -> str | None:
    """The label that a folder such as `_unknown_`, `Silence` or `unknown` stands for."""
    return next((label for label in NOT_COMMANDS if comparable(name).strip("_") == label), None)


def _order(found: _WordFolder) -> tuple[int, str]:
    """By name; the folders of the official test set last, unknown before silence."""
    last = (UNKNOWN_FOLDER, SILENCE_FOLDER)
    name = comparable(found.name)
    return (last.index(name) + 1 if name in last else 0), found.name


def _refuse_names_that_are_no_text(folder: Path, word_folders: Sequence[_WordFolder]) -> None:
    names = [f.name for f in word_folders if any("\ud800" <= char <= "\udfff" for char in f.name)]
    if names:
        found = some([printable(name) for name in names], 5)
        raise DataError(f"{printable(folder)}: expected names of words in UTF-8, found {found}")


def _refuse_deeper_files(folder: Path, word_folders: Sequence[_WordFolder]) -> None:
    """Stop where sound files lie too deep: who or what their folders stand for is not known."""
    deeper = [path for found in word_folders for path in found.deeper]
    if not deeper:
        return
    places = sorted({path.parent.relative_to(folder).as_posix() for path in deeper})
    raise DataError(
        f"{folder}: expected <word>/<file>, found {len(deeper)} sound files in deeper folders: "
        f"{some([printable(place) for place in places], 5)}. The data folder is the one that "
        "holds the words' folders. To tell speakers apart, begin the names of their files with "
        "the speaker, as in yes/anna_0.wav; for parts, write validation_list.txt and "
        "testing_list.txt"
    )


def _name_what_is_not_read(
    folder: Path,
    folders: Sequence[Path],
    files: Sequence[Path],
    word_folders: Sequence[_WordFolder],
) -> None:
    _warn_of_unread(folder, [path for found in word_folders for path in found.others])
    empty = [
        f"{printable(found.name)} ({len(found.others)} files, {len(found.folders)} folders)"
        for found in word_folders
        if not found.files
    ]
    if empty:
        warn(f"{folder}: folders without a sound file are no words: {some(empty)}")
    passed = [
        f"{printable(path.name)} ({sum(map(_is_sound, _files_below(path)))} sound files)"
        for path in folders
        if not _is_word_folder(path.name) and comparable(path.name) != NOISE_FOLDER
    ]
    if passed:
        warn(f'{folder}: folders that begin with "_" are not read: {some(passed)}')
    beside = [
        printable(path.name)
        for path in files
        if not _is_document(path) and comparable(path.name) not in {f"{n}.txt" for n in LISTS}
    ]
    if beside:
        warn(f"{folder}: {len(beside)} files beside the folders are not read: {some(beside)}")


def _warn_of_unread(folder: Path, paths: Sequence[Path]) -> None:
    if not paths:
        return
    kinds = Counter(path.suffix.lower() or "no extension" for path in paths)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    names = some([printable(path.relative_to(folder).as_posix()) for path in paths])
    warn(
        f"{folder}: {len(paths)} files are not read ({counts}; expected "
        f"{', '.join(sorted(EXTENSIONS))}): {names}"
    )


def _words_of(folder: Path, word_folders: Sequence[_WordFolder]) -> dict[str, str]:
    """The word that each folder holds, and warnings where this is not the folder's name."""
    alike: dict[str, list[_WordFolder]] = {}
    words = {}
    for found in word_folders:
        label = _reserved_label(found.name)
        if label is None:
            alike.setdefault(comparable(found.name), []).append(found)
            continue
        words[found.name] = label
        if found.name not in (label, f"_{label}_"):
            warn(f"{folder}: folder {printable(found.name)} is read as the label {label}")
    for same in alike.values():
        word = tidy(max(same, key=lambda found: (len(found.files), found.name)).name)
        words |= {found.name: word for found in same}
        if len(same) > 1:
            names = " and ".join(f"{f.name!r} ({len(f.files)} clips)" for f in same)
            warn(f"{folder}: folders {names} are read as one word, {word!r}")
    return words


def _clip(path: Path, word: str, folder: str) -> Clip:
    stem = path.stem
    if comparable(folder) == UNKNOWN_FOLDER and SPEAKER_MARK in stem:
        name, mark, take = stem.partition(SPEAKER_MARK)  # <word>_<speaker>_nohash_<take>
        stem = name.rpartition("_")[2] + mark + take
    return Clip(path, word, speaker_of(stem, word), folder if folder != word else "")


def _with_one_spelling(clips: Sequence[Clip]) -> list[Clip]:
    """Clips whose speakers have one spelling: Anna_0 and anna_1 are one person's.

    The part of a speaker of Speech Commands hangs on the exact spelling, which stays.
    """
    spelling: dict[str, str] = {}
    same = []
    for clip in clips:
        speaker = clip.speaker
        if SPEAKER_MARK not in clip.path.name:
            speaker = spelling.setdefault(comparable(speaker), speaker)
        same.append(clip if speaker == clip.speaker else dataclasses.replace(clip, speaker=speaker))
    return same
