"""Unpack the recordings that the tests and evaluate.py use, in a quarter of unpack.py's time.

Negative speech for training is left out, and training clips do not pass through a second codec:
nothing is trained on them here.

python .ci/recordings.py ../shared/speech OUT
"""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

packed, out = map(Path, sys.argv[1:])
sys.path.insert(0, str(packed))
import unpack  # noqa: E402

SPOKEN = packed / "speech_commands"
VALIDATION = set((SPOKEN / "validation_list.txt").read_text().split())
NOISE = "_background_noise_"
all_contents = unpack.contents


def contents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The sounds of an archive; unpack.py encodes those that are named .opus in a .tar again."""
    for name, data in all_contents(archive):
        path = Path(name)
        is_spoken = archive.parent == SPOKEN and archive.stem != NOISE
        if is_spoken and f"{archive.stem}/{path.stem}.wav" not in VALIDATION:
            path = path.with_suffix(".ogg")
        yield path.name, data


unpack.contents = contents


def archives(folder: Path) -> list[Path]:
    """The packed sounds in a folder."""
    return [path for path in folder.iterdir() if path.suffix in (".tar", ".zip")]


negative = packed / "negative_validation"
jobs = {out / SPOKEN.name / archive.stem: [archive] for archive in archives(SPOKEN)}
jobs[out / negative.name] = archives(negative)
(out / SPOKEN.name).mkdir(parents=True)
with ProcessPoolExecutor() as pool:
    list(pool.map(unpack.unpack, jobs.values(), jobs.keys()))
for text in (*SPOKEN.glob("*.txt"), SPOKEN / "LICENSE"):
    shutil.copyfile(text, out / SPOKEN.name / text.name)
