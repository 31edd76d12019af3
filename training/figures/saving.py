"""TODO: saving."""

from pathlib import Path

from matplotlib.figure import Figure

from training.output.atomic_files import replacing


def save_figure(figure: Figure, path: Path, dpi: int = 110) -> None:
    with replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=dpi, format="png")
