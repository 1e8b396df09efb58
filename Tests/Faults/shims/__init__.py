"""Shims between the program and the system: shared objects for LD_PRELOAD, compiled on demand."""

import os
import subprocess
import threading


class Shims:
    """Compiles the C files in this folder into a scratch directory."""

    def __init__(self, scratch):
        self._scratch = scratch
        self._made = {}
        self._lock = threading.Lock()

    def __getitem__(self, name):
        """The path of the shared object with this name."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def _make(self, name):
        source = os.path.join(os.path.dirname(__file__), name + ".c")
        made = os.path.join(self._scratch, name + ".so")
        subprocess.run(["gcc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
        return made
