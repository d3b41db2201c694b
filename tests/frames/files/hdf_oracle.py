"""Tables that h5py, PyTables and pandas write are read equal; what is absent of the three is left out. Called with the
program that dumps."""
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "io", "oracle"))
import interpreter

interpreter.use_named()
try:
    import h5py
    import numpy as np
except ImportError:
    interpreter.skip("h5py")
try:
    import tables
except ImportError:
    tables = None
try:
    import pandas as pd
except ImportError:
    pd = None

program = sys.argv[1]
folder = tempfile.mkdtemp(prefix="weft-hdf-")
failures = []
checks = 0


def run(dataset, rows, path, *columns):
    return subprocess.run([program, "hdf", dataset, str(rows), path, *columns], capture_output=True, text=True)


def dumped(dataset, rows, path, *columns):
    """Returns {name: (type, values as text)}, or what went wrong."""
    done = run(dataset, rows, path, *columns)
    if done.returncode != 0:
        return done.stderr.strip()
    found, lines, at = {}, done.stdout.split("\n"), 0
    while at < len(lines) and lines[at]:
        name, kind, count = lines[at].removeprefix("column ").rsplit(" ", 2)
        found[name] = (kind, lines[at + 1: at + 1 + int(count)])
        at += 1 + int(count)
    return found


def shown(value):
    """Returns a value as the program shows it."""
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return "-"
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return float(value)
    return "x" + (value.encode() if isinstance(value, str) else bytes(value)).hex()


def same(text, wanted):
    return float.fromhex(text) == wanted if isinstance(wanted, float) and text != "-" else text == wanted


def compare(what, dataset, path, wanted, columns=()):
    """`wanted`: {name: values}."""
    global checks
    for rows in (0, 1000, 37):
        checks += 1
        found = dumped(dataset, rows, path, *columns)
        if isinstance(found, str):
            failures.append(f"{what}: {found}")
            return
        if list(found) != list(wanted):
            failures.append(f"{what}: columns {list(found)}, not {list(wanted)}")
            return
        for name, values in wanted.items():
            here = found[name][1]
            values = [shown(v) for v in values]
            wrong = [i for i, (a, b) in enumerate(zip(here, values)) if not same(a, b)]
            if len(here) != len(values) or wrong:
                failures.append(f"{what}: {name}: {len(here)} rows of {len(values)}, wrong {wrong[:3]}")
                return


def refused(what, dataset, path, words, columns=()):
    global checks
    checks += 1
    found = dumped(dataset, 1000, path, *columns)
    if not isinstance(found, str) or os.path.basename(path) not in found or words not in found:
        failures.append(f"{what}: expected {words!r}, got {found if isinstance(found, str) else 'values'}")


def at(name):
    return os.path.join(folder, name)


def record(rows, seed):
    rng = np.random.default_rng(seed)
    kinds = [("flag", "?"), ("i1", "i1"), ("i2", ">i2"), ("i4", "<i4"), ("i8", ">i8"), ("u1", "u1"), ("u2", "<u2"),
             ("u4", ">u4"), ("u8", "<u8"), ("f2", "<f2"), ("f4", ">f4"), ("f8", "<f8"), ("s", "S5"), ("v", "<f4", (3,)),
             ("m", "<i2", (2, 2)), ("n", [("x", "<f8"), ("deep", [("y", "<i4")])])]
    table = np.zeros(rows, dtype=kinds)
    for name, kind, *_ in kinds:
        if name == "n":
            table["n"]["x"], table["n"]["deep"]["y"] = rng.normal(size=rows), rng.integers(-99, 99, rows)
        elif name == "s":
            table[name] = rng.choice(np.array([b"", b"a", b"abcde", b"x y"]), rows)
        elif name == "flag":
            table[name] = rng.random(rows) < 0.5
        elif "f" in np.dtype(kind).kind:
            table[name] = rng.normal(size=table[name].shape)
            if name == "f8" and rows:
                table[name][:: 7] = np.nan
        else:
            info = np.iinfo(np.dtype(kind))
            most = min(info.max, 2**63 - 1)
            table[name] = rng.integers(info.min, most, table[name].shape, dtype="i8" if info.min < 0 else "u8").astype(kind)
    return table


def flat(table, before=""):
    """Returns the columns that weft makes of a record array."""
    out = {}
    for name in table.dtype.names:
        part = table[name]
        if part.dtype.names:
            out.update(flat(part, before + name + "."))
        elif part.ndim > 1:
            for place in np.ndindex(part.shape[1:]):
                out[before + name + "".join(f".{k}" for k in place)] = part[(slice(None), *place)]
        else:
            out[before + name] = part
    return out


for libver in ("earliest", "latest"):
    for rows in (0, 130, 500):
        for how, options in (("plain", {}), ("chunks", {"chunks": (64,)}), ("shuffled", {"chunks": (33,), "shuffle": True}),
                             ("gzip", {"chunks": (100,), "compression": "gzip", "shuffle": True, "fletcher32": True}),
                             ("growing", {"maxshape": (None,)})):
            path = at(f"{libver}-{rows}-{how}.h5")
            table = record(rows, rows)
            with h5py.File(path, "w", libver=libver) as file:
                file.create_dataset("deep/er/events", data=table, **(options if rows else {"maxshape": (None,)}))
            what = f"h5py {libver} {how} {rows}"
            compare(what, "deep/er/events", path, flat(table))
            compare(what, "/deep/er/events", path, {k: flat(table)[k] for k in ("n.deep.y", "v.1", "flag")},
                    ("n.deep.y", "v.1", "flag"))

# Strings of any length, and members that are none.
rows = 300
words = ["", "a", "Zürich", "日本", "x" * 300]
kind = np.dtype([("id", "i4"), ("word", h5py.string_dtype()), ("c", "c16"), ("z", h5py.vlen_dtype("f4")), ("last", "f8")])
table = np.empty(rows, dtype=kind)
for i in range(rows):
    table[i] = (i, words[i % 5], 1j, np.zeros(2, "f4"), i / 3)
with h5py.File(at("text.h5"), "w") as file:
    file.create_dataset("t", data=table, chunks=(70,), compression="gzip")
    file["u8"] = np.array([(2**63 + 5,)], dtype=[("big", "u8")])
    file["grid"] = np.zeros((3, 3), dtype=[("x", "i4")])
    file["one"] = 5
compare("strings", "t", at("text.h5"), {"id": range(rows), "word": [words[i % 5] for i in range(rows)],
                                        "last": [i / 3 for i in range(rows)]})
refused("complex", "t", at("text.h5"), "complex", ("c",))
refused("lists", "t", at("text.h5"), "has no column 'z'", ("z",))
refused("too large", "u8", at("text.h5"), str(2**63 + 5))
refused("two axes", "grid", at("text.h5"), "2 axes")
refused("one value", "one", at("text.h5"), "one value")
refused("no such", "x", at("text.h5"), "'t'")

# Datasets of a group.
with h5py.File(at("group.h5"), "w") as file:
    group = file.create_group("run")
    group["t"] = np.arange(900) / 7
    group.create_dataset("adc", data=np.arange(900, dtype=">u2"), chunks=(128,), compression="gzip")
    group["ok"] = np.arange(900) % 3 == 0
    group["label"] = [f"n{i % 9}" for i in range(900)]
    group["image"] = np.zeros((900, 4))
    group["version"] = 3
    group["short"] = np.arange(5)
names = ("t", "adc", "ok", "label")
wanted = {"t": np.arange(900) / 7, "adc": np.arange(900), "ok": np.arange(900) % 3 == 0,
          "label": [f"n{i % 9}" for i in range(900)]}
compare("group", "run", at("group.h5"), wanted, names)
refused("lengths", "run", at("group.h5"), "equal lengths")
refused("axes", "run", at("group.h5"), "2 axes", ("image",))
compare("one of a group", "run/adc", at("group.h5"), {"adc": np.arange(900)})

if tables is not None:
    class Event(tables.IsDescription):
        id = tables.Int64Col(pos=0)
        hit = tables.BoolCol(pos=1)
        name = tables.StringCol(16, pos=2)
        energy = tables.Float32Col(pos=3)
        place = tables.Float64Col(shape=(3,), pos=4)
        hits = tables.BoolCol(shape=(2,), pos=5)
        color = tables.EnumCol(["red", "green"], "red", base="uint8", pos=6)

        class inner(tables.IsDescription):
            x = tables.Int16Col(pos=0)
            y = tables.UInt32Col(pos=1)

    for codec in (None, "zlib", "blosc", "blosc:zstd"):
        path = at(f"pytables-{codec}.h5".replace(":", "-"))
        filters = tables.Filters(complevel=5, complib=codec, shuffle=True) if codec else None
        wanted = {k: [] for k in ("id", "hit", "name", "energy", "place.0", "place.1", "place.2", "hits.0", "hits.1",
                                  "color", "inner.x", "inner.y")}
        with tables.open_file(path, "w") as file:
            table = file.create_table("/events", "hits", Event, createparents=True, filters=filters, chunkshape=60)
            for i in range(500):
                row = table.row
                row["id"], row["hit"], row["name"], row["energy"] = i, i % 3 == 0, f"e{i}" if i % 4 else "", i / 3
                row["place"], row["hits"], row["color"] = [i, i + 1, i + 2], [i % 2 == 0, True], i % 2
                row["inner/x"], row["inner/y"] = -i, 2**31 + i
                row.append()
                values = [i, i % 3 == 0, f"e{i}" if i % 4 else "", np.float32(i / 3), float(i), i + 1.0, i + 2.0,
                          i % 2 == 0, True, i % 2, -i, 2**31 + i]
                for column, value in zip(wanted.values(), values):
                    column.append(value)
        compare(f"PyTables {codec}", "/events/hits", path, wanted)

if tables is not None and pd is not None:
    frame = pd.DataFrame({
        "a": [1.5, np.nan, 3.25] * 100, "b": range(300), "word": ["x", None, "zz"] * 100,
        "when": pd.to_datetime(["2020-01-01 00:00:00", "2021-01-01 10:20:30", None] * 100), "ok": [True, False, True] * 100,
        "f": np.arange(300) / 7})
    times = [None if pd.isna(t) else t.as_unit("ns").value for t in frame["when"]]
    plain = {name: frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame}
    plain["when"] = times
    for data_columns in (None, True, ["b", "word"]):
        for unit in ("s", "ms", "us", "ns"):
            one = frame.assign(when=frame["when"].astype(f"datetime64[{unit}]"))
            path = at(f"pandas-{unit}-{data_columns and len(str(data_columns))}.h5")
            one.to_hdf(path, key="df", format="table", data_columns=data_columns)
            names = ("index", *frame.columns)
            compare(f"pandas {unit} {data_columns}", "df", path, {"index": range(300), **plain}, names)
            if data_columns is True:
                compare("pandas, all", "/df/table", path, {"index": range(300), **plain})
    frame.dropna().set_index("when").to_hdf(at("times.h5"), key="x/y", format="table")
    compare("pandas' index of times", "x/y", at("times.h5"),
            {"index": [t.as_unit("ns").value for t in frame.dropna()["when"]]}, ("index",))
    frame.to_hdf(at("fixed.h5"), key="df")
    refused("pandas, fixed", "df", at("fixed.h5"), "format=\"table\"")
    pd.DataFrame({"g": pd.Categorical(["u", "v"]), "x": [1, 2]}).to_hdf(at("cat.h5"), key="df", format="table")
    refused("pandas' category", "df", at("cat.h5"), "category", ("g",))
    compare("beside a category", "df", at("cat.h5"), {"index": [0, 1], "x": [1, 2]})

# Damaged copies: rows, or a sentence that names the file.
rng = random.Random(5)
for source in (at("latest-500-gzip.h5"), at("text.h5")):
    with open(source, "rb") as file:
        whole = file.read()
    for _ in range(int(os.environ.get("WEFT_MUTATIONS", "40"))):
        broken = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        if rng.random() < 0.2:
            del broken[rng.randrange(len(broken)):]
        with open(at("broken.h5"), "wb") as file:
            file.write(broken)
        done = run("t" if "text" in source else "deep/er/events", 100, at("broken.h5"))
        checks += 1
        if done.returncode not in (0, 1) or (done.returncode == 1 and "broken.h5" not in done.stderr):
            failures.append(f"damaged: {done.returncode} {done.stderr[:300]}")

subprocess.run(["rm", "-r", folder], check=True)
for failure in failures[:40]:
    print(failure)
print(f"{checks} checks, {len(failures)} failures; PyTables {'is' if tables else 'is not'} here")
sys.exit(1 if failures else 0)
