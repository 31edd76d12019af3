"""Unpack the recordings that the tests and evaluate.py use, in a twentieth of unpack.py's time.

Nothing is trained on them here. So negative speech for training is left out, and only the training
clips that are read are decoded: the others stay Opus files, as they were packed.

python .ci/recordings.py ../shared/speech OUT
"""

import io
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import soundfile

packed, out = map(Path, sys.argv[1:])
sys.path.insert(0, str(packed))
import unpack  # noqa: E402

SPOKEN = packed / "speech_commands"
WHOLE = ("_background_noise_", "marvin")  # a test segments many speakers' "marvin"
LISTS = (SPOKEN / "validation_list.txt", Path("export/model_package/calibration_clips.txt"))
DECODED = {name for path in LISTS for name in path.read_text().split()}


def unpack_word(archive: Path) -> None:
    """Write the clips of a word as WAV where they are used, and as they are where they are not."""
    folder = out / SPOKEN.name / archive.stem
    folder.mkdir()
    for name, data in unpack.contents(archive):
        clip = folder / Path(name).with_suffix(".wav").name
        if archive.stem in WHOLE or f"{archive.stem}/{clip.name}" in DECODED:
            samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
            soundfile.write(clip, samples, rate, subtype="PCM_16")
        else:
            clip.with_suffix(Path(name).suffix).write_bytes(data)


def archives(folder: Path) -> list[Path]:
    """The packed sounds in a folder, the largest first."""
    found = [path for path in folder.iterdir() if path.suffix in (".tar", ".zip")]
    return sorted(found, key=lambda path: -path.stat().st_size)


(out / SPOKEN.name).mkdir(parents=True)
negative = packed / "negative_validation"
with ProcessPoolExecutor() as pool:
    decoded = pool.submit(unpack.unpack, archives(negative), out / negative.name)
    list(pool.map(unpack_word, archives(SPOKEN)))
    decoded.result()
for text in (*SPOKEN.glob("*.txt"), SPOKEN / "LICENSE"):
    shutil.copyfile(text, out / SPOKEN.name / text.name)
