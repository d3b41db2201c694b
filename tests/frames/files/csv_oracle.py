"""Compares what weft reads and writes as CSV with what pandas reads.

usage: csv_oracle.py CSV_COPY
"""
import gzip
import io
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

try:
    import pandas
    from pandas.testing import assert_frame_equal
except ImportError:
    print("skipped: pandas is not here")
    sys.exit(77)

LETTERS = ["a", "b", '"', ",", "\n", "\r\n", " ", "é", "日", "1", "."]
MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A"]


def word(rng):
    return "w" + "".join(rng.choice(LETTERS) for _ in range(rng.randrange(12)))


def real(rng):
    return rng.choice([
        lambda: f"{rng.uniform(-200, 200):.5f}",
        lambda: repr(rng.uniform(-1, 1) * 10.0 ** rng.randrange(-320, 308)),
        lambda: f"{rng.randrange(10**6)}.{rng.randrange(10**17)}",
        lambda: f"{rng.randrange(1000)}.", lambda: f".{rng.randrange(1000)}", lambda: "inf", lambda: "-0.0",
        lambda: f"+{rng.randrange(1000)}.5e{rng.randrange(-30, 30)}",
    ])()


def date(rng):
    day = f"{rng.randrange(1680, 2261)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    clock = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
    return f"{day} {clock}" + rng.choice(["", f".{rng.randrange(1000):03}", f".{rng.randrange(10**9):09}"])


def quoted(text, rng):
    if any(byte in text for byte in ',\n\r"') or rng.random() < 0.2:
        return '"' + text.replace('"', '""') + '"'
    return text


KINDS = {
    "word": word,
    "whole": lambda rng: str(rng.randrange(-10**rng.randrange(1, 18), 10**18)),
    "small": lambda rng: str(rng.randrange(7)),
    "real": real,
    "flag": lambda rng: rng.choice(["True", "False"]),
    "date": date,
}


def make(rng):
    """Returns a text and its columns of dates."""
    kinds = [rng.choice(list(KINDS)) for _ in range(rng.randrange(1, 7))]
    names = [f"{kind}{i}" for i, kind in enumerate(kinds)]
    holes = rng.choice([0, 0, 0.1])
    end = rng.choice(["\n", "\r\n"])
    lines = [",".join(names)]
    for _ in range(rng.choice([1, 5, 300])):
        fields = []
        for kind in kinds:
            # One column: an empty field would be a blank line. pandas makes objects of flags with holes.
            hole = rng.random() < holes and kind != "flag"
            field = rng.choice(MISSING[1:] if len(kinds) == 1 else MISSING) if hole else KINDS[kind](rng)
            fields.append(field if hole else quoted(field, rng))
        lines.append(",".join(fields))
        if rng.random() < 0.02:
            lines.append("")
    text = end.join(lines) + rng.choice(["", end])
    if rng.random() < 0.2:
        text = "\ufeff" + text
    return text, [name for name in names if name.startswith("date")]


def read(data, dates):
    with warnings.catch_warnings():
        # Floats are the nearest by default only since pandas 4, which warns of the word that asks for it.
        warnings.simplefilter("ignore")
        frame = pandas.read_csv(io.BytesIO(data), na_values=MISSING, keep_default_na=False, float_precision="round_trip",
                                encoding="utf-8-sig")
    for name in dates:
        frame[name] = pandas.to_datetime(frame[name], format="ISO8601").astype("datetime64[ns]")
    return frame


def main():
    program = sys.argv[1]
    seed = 20150329
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        for case in range(60):
            text, dates = make(rng)
            data = text.encode()
            want = read(data, dates)
            for block in (0, 50, 1000):
                packed = block == 50 and case % 10 == 0
                path.write_bytes(gzip.compress(data) if packed else data)
                done = subprocess.run([program, path, str(block), *dates], capture_output=True)
                if done.returncode != 0:
                    if packed and b"lacks" in done.stderr:
                        continue
                    sys.exit(f"case {case} of seed {seed}, blocks of {block}: {done.stderr.decode()}\n{text[:2000]}")
                try:
                    assert_frame_equal(read(done.stdout, dates), want, check_exact=True)
                except AssertionError as error:
                    sys.exit(f"case {case} of seed {seed}, blocks of {block}: {error}\n{text[:2000]}")
    print("60 files are read and written as pandas reads them")


if __name__ == "__main__":
    main()
