#!/usr/bin/env python3
"""Tests the verbs of the `weft` command on addresses, against the server of the tests of io.

usage: remote_verbs_test.py WEFT

Exits 77 (skipped) where libcurl is missing.
"""
import os
import subprocess
import sys
import tempfile
import unittest

WEFT = os.path.abspath(sys.argv[1])
SERVER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "io", "remote", "server.py")
SECRET = "0123secretsignature"
KEYS = {"AWS_ACCESS_KEY_ID": "weft-test-id", "AWS_SECRET_ACCESS_KEY": "weft-test-secret"}


def weft(*words, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WEFT_", "AWS_"))}
    environment.update(variables, no_proxy="127.0.0.1", HOME=FOLDER)
    return subprocess.run([WEFT, *words], capture_output=True, text=True, timeout=120, cwd=FOLDER, env=environment, check=False)


class RemoteVerbsTest(unittest.TestCase):
    def done(self, *words, **variables):
        done = weft(*words, **variables)
        self.assertEqual(done.returncode, 0, (words, done.stderr))
        return done

    def test_files_are_read_in_ranges(self):
        self.assertEqual(self.done("head", f"{HTTP}/plain/tas_2001.nc").stdout, self.done("head", "tas_2001.nc").stdout)
        self.assertIn("tas(time, lat, lon)", self.done("info", f"{HTTP}/flaky/tas_2001.nc").stdout)
        self.done("reduce", "mean", "--dim", "time", "tas_2001.nc", "near.nc", "--overwrite")
        self.done("reduce", "mean", "--dim", "time", f"{HTTP}/plain/tas_2001.nc", "far.nc", "--overwrite")
        self.done("compare", "near.nc", "far.nc")
        self.done("compare", "tas_2001.nc", f"{HTTP}/plain/tas_2001.nc")

    def test_stores_are_written_to_buckets_and_read_there(self):
        store = f"s3://closed/out.zarr?endpoint={HTTP}"
        self.done("convert", "tas_2001.nc", store, "--chunks", "time=200", **KEYS)
        self.done("compare", "tas_2001.nc", store, **KEYS)
        self.done("compare", "tas_2001.nc", "out.zarr")
        again = weft("convert", "tas_2001.nc", store, **KEYS)
        self.assertEqual(again.returncode, 1)
        self.assertIn("--overwrite replaces it", again.stderr)
        self.assertNotIn("endpoint", again.stderr)
        refused = weft("convert", "tas_2001.nc", f"s3://closed/out.nc?endpoint={HTTP}", **KEYS)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("only .zarr", refused.stderr)
        self.assertEqual(weft("info", store).returncode, 1)  # without keys

    def test_what_stands_behind_a_question_mark_is_never_shown(self):
        signed = f"?X-Amz-Signature={SECRET}"
        for words in (["info", f"{HTTP}/denied/a.nc{signed}"], ["head", f"{HTTP}/plain/none.nc{signed}"],
                      ["reduce", "mean", "--dim", "tiem", f"{HTTP}/plain/tas_2001.nc{signed}", "x.nc"],
                      ["reduce", "mean", "--dim", "time", f"{HTTP}/plain/tas_2001.nc{signed}", f"{HTTP}/plain/tas_2001.nc{signed}1", "x.nc"],
                      ["convert", f"{HTTP}/plain/tas_2001.nc{signed}", f"{HTTP}/plain/x.nc{signed}"],
                      ["plot", f"{HTTP}/plain/tas_2001.nc{signed}", "none", "x.png"],
                      ["compare", f"{HTTP}/plain/tas_2001.nc{signed}", f"{HTTP}/denied/a.nc{signed}"]):
            failed = weft(*words)
            self.assertEqual(failed.returncode, 1, (words, failed.stderr))
            self.assertNotIn(SECRET, failed.stderr + failed.stdout, words)
            self.assertIn("" if words[0] in ("plot", "reduce") else ".nc", failed.stderr)
        shown = self.done("info", f"{HTTP}/plain/tas_2001.nc{signed}")
        self.assertNotIn(SECRET, shown.stdout + shown.stderr)
        self.done("reduce", "mean", "--dim", "time", f"{HTTP}/plain/tas_2001.nc{signed}", "signed.nc", "--overwrite")
        for name in ("signed.nc",):
            with open(os.path.join(FOLDER, name), "rb") as file:
                self.assertNotIn(SECRET.encode(), file.read())
        self.assertIn("history", self.done("info", "signed.nc").stdout)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as FOLDER:
        server = subprocess.Popen([sys.executable, SERVER, FOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        HTTP = f"http://127.0.0.1:{int(server.stdout.readline())}"
        try:
            weft("sample", ".", "--years", "1")
            if "libcurl" in weft("info", f"{HTTP}/plain/tas_2001.nc").stderr:
                print("no libcurl here: skipped")
                sys.exit(77)
            sys.argv[1:] = sys.argv[2:]
            unittest.main(verbosity=1)
        finally:
            server.stdin.close()
            server.wait()
