"""What weft reads of a file, as the oracles compare it."""
import json
import os
import subprocess
import tempfile

import numpy as np


class Dumped:
    def __init__(self, program):
        self.program = program
        self.checked = 0

    def read(self, path, step=0):
        """Returns the variables by name, or nothing, and how the program ended."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([self.program, path, folder, str(step)], capture_output=True, text=True, errors="replace", timeout=60)
            if done.returncode != 0:
                return None, done
            found = json.loads(done.stdout)
            for number, one in enumerate(found["variables"]):
                raw = os.path.join(folder, str(number))
                if os.path.exists(raw):
                    one["bytes"] = open(raw, "rb").read()
            return {one["path"]: one for one in found["variables"]}, done

    def same(self, path, name, wanted, step=0):
        """Checks that a variable is this array, to the bit; returns all variables."""
        found, done = self.read(path, step)
        assert found is not None, (path, done.stderr)
        one = found[name]
        if wanted.dtype.kind in "OUTS":
            texts = [text.decode() if isinstance(text, bytes) else text for text in np.asarray(wanted).ravel().tolist()]
            assert one["texts"] == texts, (path, one["texts"][:5], texts[:5])
        else:
            native = np.ascontiguousarray(wanted.astype(wanted.dtype.newbyteorder("=")))
            assert one["shape"] == list(wanted.shape), (path, one["shape"], wanted.shape)
            assert one["bytes"] == native.tobytes(), (path, name, one["type"], "values differ")
        self.checked += 1
        return found

    def damage(self, paths, folder, copies, random):
        """Whatever the bytes of a file are: an answer, or an error that names it."""
        for path in paths:
            good = open(path, "rb").read()
            for turn in range(copies):
                data = bytearray(good)
                if turn % 3 == 0:
                    data = data[: random.integers(len(data))]
                for _ in range(turn % 3 * 2):
                    at = random.integers(len(data))
                    # Descriptions lie at the beginning or at the end.
                    at = [at, at % 512, len(data) - 1 - at % 512][random.integers(3)] % len(data)
                    data[at] = random.integers(256)
                copy = f"{folder}/damaged"
                open(copy, "wb").write(bytes(data))
                with tempfile.TemporaryDirectory() as out:
                    done = subprocess.run([self.program, copy, out, "0"], capture_output=True, text=True, errors="replace", timeout=60)
                assert done.returncode in (0, 1), (path, turn, done.returncode, done.stderr)
                assert done.returncode == 0 or "damaged" in done.stderr, (path, turn, done.stderr)
        print(f"{len(paths) * copies} damaged files: an answer or an error for each")
