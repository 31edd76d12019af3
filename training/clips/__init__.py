"""Sound files on disk -> clips: words, speakers, a speaker-disjoint split, samples."""

from training.clips.errors import DataError
from training.clips.finding import Clip, find_clips, find_recordings
from training.clips.reading import Reading, read_clips
from training.clips.splitting import Split, split_clips
from training.clips.words import choose_words

__all__ = [
    "Clip",
    "DataError",
    "Reading",
    "Split",
    "choose_words",
    "find_clips",
    "find_recordings",
    "read_clips",
    "split_clips",
]
