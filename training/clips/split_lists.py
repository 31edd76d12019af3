"""Read validation_list.txt and testing_list.txt, however their lines are written."""

import codecs
import dataclasses
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import EXTENSIONS, LISTS
from training.clips.line_tokens import line_tokens, readable
from training.clips.names import comparable, without_unseen
from training.output.messages import printable, some, warn

_MARKS = (  # byte-order marks, the longest first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_AROUND = " \t\r\n\v\f\ufeff\u200b\xa0\"'`\u2018\u2019\u201c\u201d,;"
_SOUND_EXTENSIONS = EXTENSIONS | {  # that a list may name
    *(".m4a", ".mp4", ".aac", ".wma", ".webm", ".amr", ".3gp"),
    *(".caf", ".au", ".sph", ".raw", ".pcm", ".w64"),
}
_PATTERN = re.compile(r"[*?\[\]{}]")
_TEST, _VALID = r"test(?:s|ing)?", r"val(?:id|idate|idation)?"
_LIKE_A_LIST = {  # names that are taken for a list's, up to the extension
    "validation_list": re.compile(rf"(?:{_VALID}[ _-]*lists?|lists?[ _-]*{_VALID}|validation)"),
    "testing_list": re.compile(rf"(?:{_TEST}[ _-]*lists?|lists?[ _-]*{_TEST}|testing)"),
}
_SPLIT_NAMES = {"val": "validation_list", "valid": "validation_list", "test": "testing_list"}
_COPY = re.compile(r"[ _-]*(?:\(\d+\)|copy|copy \(?\d+\)?|\d+)$")
_TEXT_EXTENSIONS = {".txt", ".csv", ".tsv", ".lst", ".list"}
_BETWEEN = re.compile(r"[\t,;|]| #")  # columns


@dataclasses.dataclass(frozen=True)
class ListedClips:
    """The clips that the lists of a data folder name.

    Attributes:
        validation: clips of validation_list.txt that are not in the other list.
        testing: clips of testing_list.txt.
        has_validation_list: whether validation_list.txt names any clips, present or not.
    """

    validation: frozenset[Clip]
    testing: frozenset[Clip]
    has_validation_list: bool


def listed_clips(folder: Path, clips: Sequence[Clip]) -> ListedClips:
    """Find the clips that validation_list.txt and testing_list.txt of a data folder name.

    A list is UTF-8, or UTF-16 with a byte-order mark. A line names a clip by the last two parts
    of a path, `<word>/<file>`, whatever comes before them, or by a file name alone. These do not
    matter: the kind of slashes, letter case, Unicode form, the extension, quotes and blanks around
    it. Empty lines and comments (`#`) are ignored. A line of another form names the clips whose
    word and file name are in it. If several clips fit a line, it names them all. A link to a clip
    is that clip.

    A line that fits no clip is counted in a warning, as the list may belong to a larger data set.

    Args:
        folder: the data folder.
        clips: its clips.

    Raises:
        DataError: a list has another name or lies in a word's folder; a list is not text; a line
            is no path of a clip; or no line names a clip or a folder that is there. The clips it
            means would be used in training.
    """
    files = {name: _list_files(folder, name) for name in LISTS}
    _refuse_lists_of_words(folder, clips)
    index = _Index(clips)
    named = {name: _clips_of_lists(paths, index) for name, paths in files.items()}
    validation, testing = named["validation_list"], named["testing_list"]
    both = sorted(clip.key for clip in validation.clips & testing.clips)
    if both:
        warn(f"{folder}: {len(both)} clips in both lists are testing clips: {_first(both)}")
    tested = _with_links(clips, testing.clips)
    validated = _with_links(clips, validation.clips) - tested
    return ListedClips(frozenset(validated), frozenset(tested), validation.lines > 0)


class _Named(NamedTuple):
    """The clips that lists name, and the number of their lines."""

    clips: set[Clip]
    lines: int


class _Index:
    """Clips by their names."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._by_key: dict[tuple[str, str], list[Clip]] = {}
        self._by_stem: dict[str, list[Clip]] = {}
        self._by_joined: dict[str, list[Clip]] = {}
        self._folders: set[str] = set()
        self.has_hash = any(c.key.startswith("#") or c.path.name.startswith("#") for c in clips)
        for clip in clips:
            stem = comparable(clip.path.stem)
            for folder in {comparable(clip.folder or clip.word), comparable(clip.word)}:
                self._by_key.setdefault((folder, stem), []).append(clip)
                self._by_joined.setdefault(f"{folder}_{stem}", []).append(clip)
                self._folders.add(folder)
            self._by_stem.setdefault(stem, []).append(clip)

    def find(self, parts: Sequence[str]) -> set[Clip]:
        """The clips of a path's last two parts, or of a file name alone."""
        for stems in _stems(parts[-1]):
            found: set[Clip] = set()
            for stem in map(comparable, stems):
                if len(parts) > 1:
                    found.update(self._by_key.get((comparable(parts[-2]), stem), ()))
                else:
                    found.update(self._by_stem.get(stem, ()))
            if found:
                return found
        return set()

    def find_in_text(self, line: str) -> set[Clip]:
        """The clips whose words and stems are in a line; else those of `<word>_<stem>`."""
        found: set[Clip] = set()
        for column in _BETWEEN.split(line):
            if "/" in column or "\\" in column:
                found.update(*map(self.find, _paths(column)))
        tokens = line_tokens(line)
        found |= self._behind_words(tokens)
        if not found:
            found |= self._behind_words(tokens[::-1])
        if not found:
            joined = (stem for token in tokens for stem in _bare(token))
            found.update(*(self._by_joined.get(stem, ()) for stem in joined))
        return found

    def _behind_words(self, tokens: Sequence[str]) -> set[Clip]:
        """The clips whose stems come behind their words, at whatever distance."""
        found: set[Clip] = set()
        words: set[str] = set()
        for token in tokens:
            if words:
                stems = self._stems_of(token)
                found.update(*(self._by_key.get((w, s), ()) for w in words for s in stems))
            if token in self._folders:
                words.add(token)
        return found

    def _stems_of(self, token: str) -> set[str]:
        """The stems of clips that a token is; a number alone is none."""
        stems = {stem for stem in _bare(token) if stem in self._by_stem}
        if not stems and "." in token:  # with another extension
            stems = {token.rpartition(".")[0]} & self._by_stem.keys()
        return set() if token.isdigit() else stems

    def has_folder(self, name: str) -> bool:
        return comparable(name) in self._folders


def _stems(name: str) -> Iterator[list[str]]:
    """The stems of clips that a list may mean by a name, the likeliest first."""
    stem, dot, extension = name.rpartition(".")
    if stem and dot + extension.strip().lower() in _SOUND_EXTENSIONS:
        yield [stem, name]
    else:  # without an extension, though it may hold a dot; or with another one
        yield [name]
        yield [stem]


def _bare(token: str) -> Iterator[str]:
    """A token, and what is left of it without the extensions of sound files."""
    yield token
    stem, dot, extension = token.rpartition(".")
    while stem and dot + extension in _SOUND_EXTENSIONS:
        yield stem
        stem, dot, extension = stem.rpartition(".")


def _list_files(folder: Path, name: str) -> list[Path]:
    """The list of a data folder, in whatever case its name is.

    Raises:
        DataError: there is a file such as testing_list.csv or test_list.txt.
    """
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        written = comparable(path.name)
        if written == f"{name}.txt":
            found.append(path)
        elif _meant_list(path) == name or re.fullmatch(rf"{name}(\..*)?", written):
            raise DataError(f"{printable(path)}: expected the name {name}.txt for a list of clips")
    return found


def _meant_list(path: Path) -> str | None:
    """The list that a file is by its name, which may differ a little."""
    stem, dot, extension = comparable(path.name).partition(".")
    extensions = {dot + part for part in extension.split(".")}
    if extensions & _SOUND_EXTENSIONS or not path.is_file():
        return None
    if stem in _SPLIT_NAMES and extensions <= _TEXT_EXTENSIONS:
        return _SPLIT_NAMES[stem]
    stem = _COPY.sub("", stem).strip(" _-")
    return next((name for name, like in _LIKE_A_LIST.items() if like.fullmatch(stem)), None)


def _refuse_lists_of_words(folder: Path, clips: Sequence[Clip]) -> None:
    """Stop at lists that lie in the folder of a word, where nothing reads them."""
    for inner in sorted({clip.path.parent for clip in clips} - {folder}):
        for path in sorted(inner.iterdir()) if inner.is_dir() else []:
            name = None if path.suffix.lower() in EXTENSIONS else _meant_list(path)
            if name:
                expected = printable(folder / f"{name}.txt")
                raise DataError(f"{printable(path)}: expected the list of clips to be {expected}")


def _clips_of_lists(paths: Sequence[Path], index: _Index) -> _Named:
    lists = [_clips_of_list(path, index) for path in paths]
    return _Named({c for named in lists for c in named.clips}, sum(n.lines for n in lists))


def _clips_of_list(path: Path, index: _Index) -> _Named:
    clips: set[Clip] = set()
    missing, several = [], []
    lines, has_folder = 0, False
    for number, line in enumerate(_lines(path), 1):
        text = line.strip(_AROUND)
        if not text or (text.startswith("#") and not index.has_hash):
            continue
        found = next(filter(None, map(index.find, _paths(line))), set())
        if not text.startswith("#"):
            found |= index.find_in_text(line)
        elif not found:
            continue
        lines += 1
        clips.update(found)
        if len(found) > 1:
            several.append(text)
        if not found:
            missing.append(text)
            parts = next(_paths(line), [])
            has_folder |= len(parts) > 1 and index.has_folder(parts[-2])
            _check_line(path, number, line, parts, index)
    if missing and not clips and not has_folder:
        raise DataError(
            f"{path}: expected lines <word>/<file>, found none that names a clip or a word's "
            f"folder; the first: {missing[0]!r}"
        )
    if missing:
        warn(f"{path}: {len(missing)} of {lines} lines name clips not found: {_first(missing)}")
    if several:
        warn(f"{path}: {len(several)} lines name more than one clip each: {_first(several)}")
    return _Named(clips, lines)


def _check_line(path: Path, number: int, line: str, parts: Sequence[str], index: _Index) -> None:
    """Stop at a line that may mean clips without naming one: a folder, a pattern, a heading."""
    text = line.strip(_AROUND)
    is_sound = Path(parts[-1]).suffix.lower() in _SOUND_EXTENSIONS if parts else False
    is_folder = bool(parts) and not is_sound and index.has_folder(parts[-1])
    is_name = is_sound or len(parts) > 1
    if not is_name or is_folder or text.endswith(("/", "\\")) or _PATTERN.search(text):
        raise DataError(f"{path}: line {number}: expected <word>/<file>, found {line.strip()!r}")


def _paths(line: str) -> Iterator[list[str]]:
    """The paths that a line may mean, as their parts: the line, or its first column."""
    column = _BETWEEN.split(line.strip(_AROUND))[0]
    texts = (line.strip(), line.strip(_AROUND), column.strip(_AROUND))
    for text in dict.fromkeys((*texts, *map(readable, texts))):
        path = posixpath.normpath(text.replace("\\", "/"))
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if parts:
            yield parts


def _lines(path: Path) -> list[str]:
    data = path.read_bytes()
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
        if "\0" in text:
            raise ValueError("NUL characters (UTF-16 needs a byte-order mark)")
        if data.strip() and not text.strip():
            raise ValueError("a byte-order mark and nothing else")
    except ValueError as error:
        raise DataError(f"{path}: expected a list of clips in UTF-8, found {error}") from error
    return re.split(r"\r\n|\r|\n", without_unseen(text))


def _with_links(clips: Sequence[Clip], listed: set[Clip]) -> set[Clip]:
    """Listed clips, and the clips that are the same files by hard or symbolic links."""
    files = {file for clip in listed if (file := _file(clip.path))}
    return listed | {clip for clip in clips if files and _file(clip.path) in files}


def _file(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _first(names: Sequence[str]) -> str:
    return some([repr(name) for name in names], 3)
