"""Files that pyarrow and polars write with many options are read equal, and pyarrow reads equal what weft writes.
Called with the program that dumps."""
import datetime
import decimal
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "io", "oracle"))
import interpreter

interpreter.use_named()
try:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    interpreter.skip("pyarrow")

program = sys.argv[1]
folder = tempfile.mkdtemp(prefix="weft-parquet-")
failures = []
checks = 0


def run(*words):
    done = subprocess.run([program, *words], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr.strip()


def dumped(path, columns=()):
    """Returns {name: (type, values as text)}."""
    code, out, error = run("dump", path, *columns)
    if code != 0:
        return error
    found, lines = {}, out.split("\n")
    at = 0
    while at < len(lines) and lines[at]:
        _, name, kind, rows = lines[at].rsplit(" ", 3) if lines[at].count(" ") > 3 else lines[at].split(" ")
        found[name.removeprefix("column ")] = (kind, lines[at + 1: at + 1 + int(rows)])
        at += 1 + int(rows)
    return found


def plain(column):
    """Returns what weft should show of a column of pyarrow."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ns", kind.tz if pa.types.is_timestamp(kind) else None)).cast(pa.int64())
        return ["-" if v is None else str(v) for v in column.to_pylist()]
    if pa.types.is_time(kind):
        scale = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}[kind.unit]
        column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        return ["-" if v is None else str(v * scale) for v in column.to_pylist()]
    values = column.to_pylist()
    if pa.types.is_floating(kind):
        return ["-" if v is None or math.isnan(v) else float(v) for v in values]
    if pa.types.is_decimal(kind):
        return ["-" if v is None else float(v) for v in values]
    if pa.types.is_boolean(kind):
        return ["-" if v is None else str(int(v)) for v in values]
    if pa.types.is_integer(kind):
        return ["-" if v is None else str(v) for v in values]
    if pa.types.is_null(kind):
        return ["-"] * len(values)
    return ["-" if v is None else "x" + (v.encode() if isinstance(v, str) else v).hex() for v in values]


def same(shown, wanted, loose):
    if len(shown) != len(wanted):
        return f"{len(shown)} rows, not {len(wanted)}"
    for i, (one, other) in enumerate(zip(shown, wanted)):
        if isinstance(other, float):
            number = math.nan if one == "-" else float.fromhex(one)
            if number != other and not (loose and math.isclose(number, other, rel_tol=1e-15)):
                return f"row {i}: {one} ({number}), not {other}"
        elif one != other:
            return f"row {i}: {one}, not {other}"
    return None


def compare(what, path, table, columns=()):
    global checks
    checks += 1
    found = dumped(path, columns)
    if isinstance(found, str):
        return failures.append(f"{what}: {found}")
    names = list(columns) or table.column_names
    if list(found) != names:
        return failures.append(f"{what}: columns {list(found)}, not {names}")
    for name in names:
        column = table.column(name)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        wrong = same(found[name][1], plain(column), pa.types.is_decimal(kind))
        if wrong:
            failures.append(f"{what}: column {name} ({column.type}): {wrong}")


def refused(what, path, words, columns=()):
    global checks
    checks += 1
    found = dumped(path, columns)
    if not isinstance(found, str) or path not in found or words not in found:
        failures.append(f"{what}: expected a sentence with {words!r}, got {found if isinstance(found, str) else 'values'}")


def holes(random, values, share):
    return pa.array(values, mask=random.random(len(values)) < share) if share else pa.array(values)


def sample(rows, share, seed=1):
    random = np.random.default_rng(seed)
    whole = random.integers(-2**40, 2**40, rows)
    words = np.array(["", "a", "Zürich", "a longer word than sixteen bytes", "日本", "x" * 300])
    base = np.datetime64("2015-01-01", "ns").astype("int64")
    columns = {
        "flag": holes(random, random.random(rows) < 0.4, share),
        "run": holes(random, np.arange(rows) // 50 % 2 == 0, share),
        "i8": holes(random, random.integers(-128, 128, rows).astype("i1"), share),
        "i16": holes(random, random.integers(-9000, 9000, rows).astype("i2"), share),
        "i32": holes(random, random.integers(-2**31, 2**31, rows).astype("i4"), share),
        "i64": holes(random, whole, share),
        "u8": holes(random, random.integers(0, 256, rows).astype("u1"), share),
        "u16": holes(random, random.integers(0, 2**16, rows).astype("u2"), share),
        "u32": holes(random, random.integers(0, 2**32, rows).astype("u4"), share),
        "u64": holes(random, random.integers(0, 2**63, rows).astype("u8"), share),
        "few": holes(random, random.integers(1, 7, rows), share),
        "sorted": holes(random, np.cumsum(random.integers(0, 9, rows)), share),
        "f32": holes(random, random.normal(0, 1, rows).astype("f4"), share),
        "f64": holes(random, random.normal(0, 1, rows), share),
        "fare": holes(random, np.round(random.gamma(2, 6, rows) * 2) / 2, share),
        "word": pa.array([None if random.random() < share else words[k] for k in random.integers(0, 6, rows)], pa.string()),
        "text": pa.array([None if random.random() < share else f"line {v}" for v in whole], pa.string()),
        "bytes": pa.array([None if random.random() < share else bytes([v & 255] * (v & 7)) for v in whole], pa.binary()),
        "fixed": pa.array([None if random.random() < share else int(v).to_bytes(8, "big", signed=True) for v in whole], pa.binary(8)),
        "day": holes(random, random.integers(0, 20000, rows).astype("i4"), share).cast(pa.date32()),
        "ms": holes(random, base // 10**6 + whole % 10**9, share).cast(pa.timestamp("ms")),
        "us": holes(random, base // 1000 + whole, share).cast(pa.timestamp("us")),
        "ns": holes(random, base + whole, share).cast(pa.timestamp("ns")),
        "utc": holes(random, base // 1000 + whole, share).cast(pa.timestamp("us", "UTC")),
        "clock": holes(random, random.integers(0, 86400000, rows).astype("i4"), share).cast(pa.time32("ms")),
        "cents": pa.array([None if random.random() < share else decimal.Decimal(int(v) % 10**9) / 100 for v in whole], pa.decimal128(12, 2)),
        "large": pa.array([None if random.random() < share else decimal.Decimal(int(v)) / 1000 for v in whole], pa.decimal128(30, 3)),
        "none": pa.nulls(rows),
    }
    columns["kind"] = columns["word"].dictionary_encode()
    return pa.table(columns)


def path_of(name):
    return os.path.join(folder, name + ".parquet")


def read_options():
    """Names and arguments of pyarrow's writer."""
    yield "plain", dict(use_dictionary=False, compression="none")
    yield "snappy", dict()
    yield "nothing", dict(compression="none")
    for codec in ["gzip", "zstd", "lz4"]:
        yield codec, dict(compression=codec)
    yield "v2", dict(data_page_version="2.0", compression="snappy")
    yield "v2 plain", dict(data_page_version="2.0", compression="none", use_dictionary=False)
    yield "small pages", dict(data_page_size=100, dictionary_pagesize_limit=500, write_batch_size=16)
    yield "groups", dict(row_group_size=37)
    yield "old", dict(version="1.0", compression="gzip")
    yield "sums", dict(write_page_checksum=True)
    yield "index", dict(write_page_index=True, store_schema=False)
    yield "decimals", dict(store_decimal_as_integer=True)
    for version in ["1.0", "2.0"]:
        whole = ["i8", "i16", "i32", "i64", "few", "sorted", "u32", "u64", "ms", "us", "ns", "day"]
        texts = ["word", "text", "bytes"]
        delta = {name: "DELTA_BINARY_PACKED" for name in whole}
        yield f"delta {version}", dict(use_dictionary=False, data_page_version=version,
                                       column_encoding=delta | {name: "DELTA_LENGTH_BYTE_ARRAY" for name in texts})
        split = {name: "BYTE_STREAM_SPLIT" for name in ["f32", "f64", "fare", "i32", "i64", "fixed", "us"]}
        yield f"split {version}", dict(use_dictionary=False, data_page_version=version,
                                       column_encoding=split | {name: "DELTA_BYTE_ARRAY" for name in texts})
        yield f"flags {version}", dict(use_dictionary=False, data_page_version=version,
                                       column_encoding={"flag": "RLE", "run": "RLE", "fixed": "DELTA_BYTE_ARRAY"})


def read_pyarrow():
    for rows in [0, 1, 7, 1000, 20000]:
        for share in [0, 0.1, 1]:
            if rows == 20000 and share == 1:
                continue
            table = sample(rows, share)
            for what, options in read_options():
                if rows == 20000 and what not in ("snappy", "v2", "small pages", "delta 1.0", "split 2.0", "zstd"):
                    continue
                if rows == 0 and "row_group_size" in options:
                    continue
                name = f"{what} {rows} {share}"
                path = path_of(name)
                # That version has no nanoseconds.
                written = table.drop_columns("ns") if what == "old" else table
                pq.write_table(written, path, **options)
                compare(name, path, written)
    table = sample(500, 0.1)
    pq.write_table(table, path_of("chosen"))
    compare("chosen", path_of("chosen"), table, ["text", "f64", "kind"])
    pq.write_table(table.select(["us", "ns"]), path_of("int96"), use_deprecated_int96_timestamps=True)
    compare("int96", path_of("int96"), table.select(["us", "ns"]))
    strict = table.select(["i32", "few", "fare", "word"]).drop_null()
    strict = strict.cast(pa.schema([field.with_nullable(False) for field in strict.schema]))
    pq.write_table(strict, path_of("required"))
    compare("required", path_of("required"), strict)
    half = pa.table({"h": pa.array(np.array([0.5, -2, 65504, 6e-8, np.inf, 0], "f2"))})
    pq.write_table(half, path_of("half"))
    compare("half", path_of("half"), half)


def read_others():
    try:
        import pandas as pd

        frame = pd.DataFrame({"kind": pd.Categorical(["b", None, "a", "b"]), "time": pd.date_range("2020", periods=4),
                              "v": [1.5, math.nan, 2, 3]})
        frame.to_parquet(path_of("pandas"))
        compare("pandas", path_of("pandas"), pa.Table.from_pandas(frame, preserve_index=False))
        if dumped(path_of("pandas"))["kind"][0] != "category":
            failures.append("pandas: a category is read as " + dumped(path_of("pandas"))["kind"][0])
    except ImportError:
        print("no pandas here")
    try:
        import polars

        table = sample(3000, 0.1).drop_columns(["kind", "none", "clock", "large", "cents", "fixed"])
        for codec in ["uncompressed", "snappy", "zstd", "lz4", "gzip"]:
            polars.from_arrow(table).write_parquet(path_of("polars" + codec), compression=codec, row_group_size=700)
            compare("polars " + codec, path_of("polars" + codec), table)
    except ImportError:
        print("no polars here")


def refuse():
    nested = pa.table({"a": [1, 2], "list": [[1], [2, 3]], "pair": [{"x": 1, "y": 2}] * 2, "b": ["u", "v"]})
    pq.write_table(nested, path_of("nested"))
    refused("nested", path_of("nested"), "'list' holds lists or structs")
    compare("nested, without", path_of("nested"), nested, ["b", "a"])
    refused("no such column", path_of("nested"), "has no column 'c'", ["c"])
    pq.write_table(nested.select(["a"]), path_of("brotli"), compression="brotli")
    refused("brotli", path_of("brotli"), "packed by brotli")
    pq.write_table(pa.table({"u": pa.array([2**64 - 1], pa.uint64())}), path_of("u64"))
    refused("u64", path_of("u64"), "which int64 does not hold")
    pq.write_table(pa.table({"t": pa.array([2**60], pa.timestamp("us"))}), path_of("far"))
    refused("far", path_of("far"), "1677 to 2262")


def bounds():
    """Bounds hold for all values, and are there where they can be."""
    global checks
    table = sample(1000, 0.1)
    pq.write_table(table, path_of("bounds"), row_group_size=300)
    code, out, error = run("bounds", path_of("bounds"))
    for line in out.splitlines():
        checks += 1
        group, name, least, most, missing = line.split(" ")
        values = plain(table.column(name).slice(int(group) * 300, 300))
        there = [v for v in values if v != "-"]
        number = {float: float.fromhex}.get(type(there[0]) if there else None, (lambda t: t) if there and str(there[0]).startswith("x") else int)
        if there and least != "-":
            typed = there if isinstance(there[0], float) else [number(v) for v in there]
            if number(least) != min(typed) or number(most) != max(typed):
                failures.append(f"bounds of {name}: {least} to {most}, not {min(typed)} to {max(typed)}")
        if missing != "-1" and int(missing) != len(values) - len(there):
            failures.append(f"bounds of {name}: {missing} missing, not {len(values) - len(there)}")
        if least == "-" and name in ("i32", "i64", "few", "f64", "word", "us", "ns", "day", "u32"):
            failures.append(f"bounds of {name} are not there")


def write():
    """What weft writes, pyarrow reads as what weft read."""
    global checks
    for rows in [0, 1, 9, 1000, 20000]:
        for share in [0, 0.1, 1]:
            table = sample(rows, share, seed=3)
            pq.write_table(table, path_of("from"))
            for codec in ["none", "snappy", "gzip", "zstd"]:
                checks += 1
                what = f"writing {rows} {share} {codec}"
                code, _, error = run("copy", path_of("from"), path_of("to"), codec, "6000" if codec == "zstd" else "1000000")
                if code != 0:
                    failures.append(f"{what}: {error}")
                    continue
                back = pq.read_table(path_of("to"))
                if pq.read_metadata(path_of("to")).created_by != "weft":
                    failures.append(f"{what}: not created by weft")
                if back.column_names != table.column_names:
                    failures.append(f"{what}: columns {back.column_names}")
                    continue
                for name in back.column_names:
                    if name in ("cents", "large", "clock", "bytes", "fixed"):
                        continue
                    wrong = None
                    here, there = plain(back.column(name)), plain(table.column(name))
                    if here != there:
                        wrong = next((f"row {i}: {a}, not {b}" for i, (a, b) in enumerate(zip(here, there)) if a != b), "lengths")
                        failures.append(f"{what}: column {name}: {wrong}")
                again = dumped(path_of("to"))
                if again != dumped(path_of("from")):
                    failures.append(f"{what}: weft reads its own file differently")
                expression = pq.read_table(path_of("to"), filters=[("few", ">", 3)])
                if len(expression) != sum(1 for v in table.column("few").to_pylist() if v is not None and v > 3):
                    failures.append(f"{what}: its statistics mislead")


read_pyarrow()
read_others()
refuse()
bounds()
write()
subprocess.run(["rm", "-r", folder])
print(f"{checks} comparisons, {len(failures)} failures")
for failure in failures[:40]:
    print(failure[:400])
sys.exit(1 if failures else 0)
