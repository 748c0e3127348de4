"""A sandbox for a test: start, wait until it serves, read sandbox.json, stop. Python 3.9 or newer, no packages."""

import json
import os
import subprocess
import tempfile
from pathlib import Path


class Sandbox:
    """Use it as a context manager, or call stop()."""

    def __init__(self, program=None, seed=None, seed_keys=None):
        """`program`: the issuer-gateway binary. `seed`: a seed file. `seed_keys`: keys and ids the same each time."""
        self._root = tempfile.TemporaryDirectory()
        self.folder = Path(self._root.name) / "sandbox"
        command = [program or os.environ.get("ISSUER_GATEWAY", "issuer-gateway")]
        command += ["sandbox", "--dir", str(self.folder), "--port", "0"]
        if seed:
            command += ["--seed", str(seed)]
        if seed_keys:
            command += [f"--seed-keys={seed_keys}"]
        with open(Path(self._root.name) / "errors", "w+") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
            # The line comes when it answers, and after the seed. If the program ends before, the stream does.
            if not any(line.startswith("Serving") for line in self._process.stdout):
                errors.seek(0)
                text = errors.read()
                self.stop()
                raise RuntimeError(f"the sandbox did not start: {text}")
        self.description = json.loads((self.folder / "sandbox.json").read_text())
        self.base_url = self.description["base_url"]

    def path(self, file):
        """A file that the description names."""
        return self.folder / file

    def stop(self):
        """Ends it, and removes its folder."""
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        self._root.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
