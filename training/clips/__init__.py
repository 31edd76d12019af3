"""Sound files on disk -> clips: words, speakers, a split by speaker, samples."""

from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import find_clips, find_recordings
from training.clips.reading import Reading, read_clips
from training.clips.splitting import Split, split_clips
from training.clips.words import choose_words, match_words, respell

__all__ = [
    "Clip",
    "DataError",
    "Reading",
    "Split",
    "choose_words",
    "find_clips",
    "find_recordings",
    "match_words",
    "read_clips",
    "respell",
    "split_clips",
]
