"""Ways to run `speechgru` that several tests use."""

import os
import subprocess
import sys

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
COMMAND = [sys.executable, "-c", "import sys; from speechgru.cli import main; sys.exit(main())"]


def shell(script, *arguments, **options):
    """Run a shell script, in which "$@" is `speechgru` and the arguments."""
    return subprocess.run(
        ["bash", "-c", script, "bash", *COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        # Python buffers what it writes, as it does for users.
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
        **options,
    )
