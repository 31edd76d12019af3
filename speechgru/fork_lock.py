"""A lock that keeps a process from being forked while a thread holds it."""

import os
import threading

not_forking = threading.RLock()
"""Held while a library is imported, opened or set up, which takes locks of its own.

A fork copies locks, but not the thread that would release them: the child would wait forever.
"""

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=not_forking.acquire,
        after_in_parent=not_forking.release,
        after_in_child=not_forking.release,
    )
