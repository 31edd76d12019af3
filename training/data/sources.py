"""The folders that a task is made from."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class DataSources:
    """Folders of recordings; `make_task` describes them.

    Attributes:
        data: `<word>/<file>`, with `_background_noise_` and lists if it has them.
        negative: speech without commands. Default: none.
        synthetic: `<word>/<file>`, spoken by speech synthesisers. Default None.
        noise: more background noise. Default None.
    """

    data: Path
    negative: tuple[Path, ...] = ()
    synthetic: Path | None = None
    noise: Path | None = None
