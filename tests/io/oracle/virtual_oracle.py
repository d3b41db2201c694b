#!/usr/bin/env python3
"""Writes HDF5 files whose values come from other files (external links, virtual datasets) with h5py, and checks that
weft reads what h5py reads.

usage: virtual_oracle.py WEFT_IO_DUMP

Exits 77 (skipped) where h5py is not there. WEFT_TEST_PYTHON names another interpreter that has it.
"""
import os
import subprocess
import sys
import tempfile

import interpreter

interpreter.use_named()
try:
    import h5py
    import numpy as np
except ImportError:
    interpreter.skip("h5py")

from dumped import Dumped

DUMPED = Dumped(sys.argv[1])
RNG = np.random.default_rng(6)
BOUNDS = ("earliest", ("earliest", "v110"), "latest")


def same_as_h5py(path, names, step=0):
    with h5py.File(path) as file:
        for name in names:
            DUMPED.same(path, name, file[name][...], step)


def links(folder):
    """Objects of other files: variables, tables, groups, links that lead to links, circles."""
    os.makedirs(f"{folder}/sub/far", exist_ok=True)
    with h5py.File(f"{folder}/sub/target.h5", "w") as file:
        file["x"] = RNG.random((7, 5))
        file.create_dataset("deep/packed", data=RNG.integers(0, 99, (40, 30)), chunks=(7, 30), compression="gzip")
        file["deep/er/z"] = np.arange(3)
        file["deep"].attrs["title"] = "of the other file"
        file["table"] = np.array([(1, 2.5), (3, 4.5)], [("n", "i4"), ("v", "f8")])
        file["names"] = np.array(["one", "zwei"], h5py.string_dtype())
        file["soft"] = h5py.SoftLink("/deep/er/z")
        file["further"] = h5py.ExternalLink("far/last.h5", "/y")
        file["back"] = h5py.ExternalLink("../linking.h5", "/")
        file["own"] = h5py.ExternalLink("../linking.h5", "/here")
    with h5py.File(f"{folder}/sub/far/last.h5", "w") as file:
        file["y"] = np.arange(12.0).reshape(3, 4)
    path = f"{folder}/linking.h5"
    with h5py.File(path, "w") as file:
        file["here"] = np.arange(4)
        file["a"] = h5py.ExternalLink("sub/target.h5", "/x")
        file["group"] = h5py.ExternalLink("sub/target.h5", "/deep")
        file["t"] = h5py.ExternalLink("sub/target.h5", "table")
        file["texts"] = h5py.ExternalLink("sub/target.h5", "/names")
        file["s"] = h5py.ExternalLink("sub/target.h5", "/soft")
        file["two"] = h5py.ExternalLink("sub/target.h5", "/further")
        file["round"] = h5py.ExternalLink("sub/target.h5", "/own")
        file["through"] = h5py.ExternalLink("sub/target.h5", "/back/here")
        file["absolute"] = h5py.ExternalLink(f"{folder}/sub/far/last.h5", "/y")
        file["moved"] = h5py.ExternalLink("/nowhere/at/all/plain.h5", "/p")
        file["soft_into"] = h5py.SoftLink("/group/packed")
        file["soft_group"] = h5py.SoftLink("/group/er")
        file["soft_table"] = h5py.SoftLink("/t")
        file["gone"] = h5py.ExternalLink("sub/none.h5", "/x")
        file["no_object"] = h5py.ExternalLink("sub/target.h5", "/none")
        file["circle"] = h5py.ExternalLink("sub/target.h5", "/back/circle")
        file["itself"] = h5py.ExternalLink("linking.h5", "/")
    with h5py.File(f"{folder}/plain.h5", "w") as file:
        file["p"] = np.arange(2)
    names = ["here", "a", "group/packed", "group/er/z", "texts", "s", "two", "round", "through", "absolute", "moved",
             "soft_into", "soft_group/z"]
    same_as_h5py(path, names)
    same_as_h5py(path, ["group/packed", "a"], step=3)
    with h5py.File(path) as file:
        for column in ("n", "v"):
            DUMPED.same(path, f"t/{column}", file["t"][column])
            DUMPED.same(path, f"soft_table/{column}", file["soft_table"][column])
    found, _ = DUMPED.read(path)
    assert not any(name.startswith(("gone", "no_object", "circle")) for name in found), list(found)
    # The folders of an environment variable come first, as for the library.
    os.makedirs(f"{folder}/prefix/sub", exist_ok=True)
    with h5py.File(f"{folder}/prefix/sub/none.h5", "w") as file:
        file["x"] = np.arange(6)
    os.environ["HDF5_EXT_PREFIX"] = f"/nowhere:{folder}/prefix"
    DUMPED.same(path, "gone", np.arange(6))
    del os.environ["HDF5_EXT_PREFIX"]
    # Soft links alone: to tables, groups and each other.
    path = f"{folder}/soft.h5"
    with h5py.File(path, "w") as file:
        file["t"] = np.array([(1, 2.5), (3, 4.5)], [("n", "i4"), ("v", "f8")])
        file["g/x"] = np.arange(5)
        file["a"] = h5py.SoftLink("b")
        file["b"] = h5py.SoftLink("/c")
        file["c"] = h5py.SoftLink("/g")
        file["t2"] = h5py.SoftLink("/t")
        file["loop"] = h5py.SoftLink("/loop2")
        file["loop2"] = h5py.SoftLink("/loop")
        file["g/up"] = h5py.SoftLink("/")
    same_as_h5py(path, ["g/x", "a/x", "b/x", "c/x"])
    with h5py.File(path) as file:
        DUMPED.same(path, "t2/v", file["t"]["v"])
    # Hostile: each name twice the names before it.
    path = f"{folder}/many.h5"
    with h5py.File(path, "w") as file:
        file["g0/x"] = np.arange(2)
        for number in range(1, 40):
            for side in "ab":
                file[f"g{number}/{side}"] = h5py.SoftLink(f"/g{number - 1}")
    assert DUMPED.read(path)[0] is not None
    return [f"{folder}/linking.h5", f"{folder}/soft.h5"]


def sources(folder, shape, count, **options):
    for number in range(count):
        with h5py.File(f"{folder}/src_{number}.h5", "w") as file:
            file.create_dataset("x", data=RNG.random(shape).astype("f4"), **options)
            file["g/i"] = RNG.integers(-99, 99, shape).astype("i2")


def virtual(folder):
    paths = []
    sources(folder, (6, 8), 5, chunks=(4, 8), compression="gzip")
    for number, bound in enumerate(BOUNDS):
        path = f"{folder}/virtual_{number}.h5"
        paths.append(path)
        with h5py.File(path, "w", libver=bound) as file:
            def source(which, name="x", shape=(6, 8), dtype=None):
                return h5py.VirtualSource(f"src_{which}.h5" if which != "." else ".", name, shape, dtype=dtype)

            def put(name, shape, parts, dtype="f4", **options):
                layout = h5py.VirtualLayout(shape, dtype)
                for where, what in parts:
                    layout[where] = what
                file.create_virtual_dataset(name, layout, **options)

            # Side by side, stacked, with gaps, with one that is not there.
            put("beside", (30, 8), [(np.s_[6 * i:6 * i + 6], source(i)) for i in range(5)])
            put("stacked", (5, 6, 8), [(i, source(i)) for i in range(5)])
            put("gaps", (41, 9), [(np.s_[7 * i:7 * i + 6, 1:], source(i)) for i in range(6) if i != 2], fillvalue=-5)
            # Every second row of one, every third column of another; parts of sources.
            put("woven", (12, 8), [(np.s_[i::2], source(i)) for i in range(2)])
            put("columns", (6, 24), [(np.s_[:, i::3], source(i)) for i in range(3)])
            put("parts", (4, 6), [(np.s_[:2, :], source(0)[2:4, 1:7]), (np.s_[2:, :], source(1)[1:6:4, 2:])])
            put("steps", (3, 4), [(np.s_[:, :], source(3)[::2, ::2])])
            put("blocks", (3, 8), [(np.s_[0:3:2], source(3)[1:5:3]), (np.s_[1], source(4)[5])])
            put("column", (30,), [(np.s_[6 * i:6 * i + 6], source(i)[:, 3]) for i in range(5)])
            put("other_type", (6, 8), [(np.s_[:], source(0, "g/i"))], "f8")
            put("narrowed", (6, 8), [(np.s_[:], source(0, "g/i"))], "u1")
            put("truncated", (6, 8), [(np.s_[:], source(0))], "i4")
            put("big_endian", (6, 8), [(np.s_[:], source(0))], ">f4")
            put("none_there", (6, 8), [(np.s_[:], h5py.VirtualSource("no.h5", "x", (6, 8)))], fillvalue=7)
            put("no_such_name", (6, 8), [(np.s_[:], source(0, "y"))], fillvalue=3)
            put("nothing", (3,), [])
            file["own"] = np.arange(48, dtype="f4").reshape(6, 8)
            put("of_itself", (12, 8), [(np.s_[:6], source(".", "own")), (np.s_[6:], source(1))])
            # Names that repeat are written once by the newest format.
            put("rows", (12, 8), [(i, source(i // 3)[i % 3]) for i in range(12)])
            put("own_rows", (6, 8), [(i, source(".", "own")[i]) for i in range(6)])
            # Of a virtual one.
            put("second", (12, 8), [(np.s_[:], source(".", "beside", (30, 8))[9:21])])
            # Other shapes: element by element.
            put("reshaped", (2, 24), [(np.s_[:], source(2))])
            put("one_row", (48,), [(np.s_[:], source(2))])
            # Boxes that are no grid.
            space = h5py.h5s.create_simple((6, 8))
            space.select_hyperslab((0, 0), (2, 3))
            space.select_hyperslab((3, 4), (2, 2), op=h5py.h5s.SELECT_OR)
            space.select_hyperslab((5, 0), (1, 2), op=h5py.h5s.SELECT_OR)
            whole = h5py.h5s.create_simple((3, 4))
            create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            create.set_virtual(whole, b"src_1.h5", b"x", space)
            h5py.h5d.create(file.id, b"boxes", h5py.h5t.NATIVE_FLOAT, whole, create)
            create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            create.set_virtual(space, b"src_1.h5", b"x", space)
            h5py.h5d.create(file.id, b"boxes_to_boxes", h5py.h5t.NATIVE_FLOAT, space, create)
            # A table of tables.
            record = np.dtype([("n", "i4"), ("v", ">f8"), ("xy", "f4", (2,))])
            with h5py.File(f"{folder}/table_{number}.h5", "w") as other:
                data = np.zeros(9, record)
                data["n"], data["v"], data["xy"] = np.arange(9), RNG.random(9), RNG.random((9, 2))
                other["t"] = data
            layout = h5py.VirtualLayout((12,), record)
            layout[2:11] = h5py.VirtualSource(f"table_{number}.h5", "t", (9,))
            file.create_virtual_dataset("table", layout)
        names = [name for name in h5py.File(path) if name != "table"]
        same_as_h5py(path, names)
        same_as_h5py(path, names, step=2)
        with h5py.File(path) as file:
            for column in record.names:
                DUMPED.same(path, f"table/{column}", file["table"][column])
    # By which chunks it is read: those of the sources where they fit.
    found, _ = DUMPED.read(paths[0])
    assert found["stacked"]["chunk"] == [1, 4, 8], found["stacked"]["chunk"]
    assert found["gaps"]["chunk"] == [6, 8], found["gaps"]["chunk"]
    return paths


def growing(folder):
    """Unlimited ones: as long as their sources are now."""
    paths = []
    for number, bound in enumerate(BOUNDS[1:]):
        path = f"{folder}/growing_{number}.h5"
        paths.append(path)
        UNLIMITED = h5py.h5s.UNLIMITED
        for i in range(4):
            with h5py.File(f"{folder}/g{number}_{i}.h5", "w") as file:
                file.create_dataset("x", data=RNG.random((3 + i, 4)), maxshape=(None, 4), chunks=(2, 4))
                file[f"y{i}"] = np.full((2, 4), i)
        with h5py.File(path, "w", libver=bound) as file:
            def put(name, maxshape, count, block, stride, start, source, target_name, dtype):
                space = h5py.h5s.create_simple((0, 4), maxshape)
                space.select_hyperslab(start, count, stride, block)
                create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                create.set_virtual(space, target_name[0], target_name[1], source)
                create.set_fill_value(np.array(-1, dtype))
                h5py.h5d.create(file.id, name, h5py.h5t.py_create(np.dtype(dtype)), space, create)

            block = h5py.h5s.create_simple((2, 4))
            put(b"numbered", (UNLIMITED, 4), (UNLIMITED, 1), (2, 4), (3, 4), (1, 0), block,
                (f"g{number}_%b.h5".encode(), b"y%b"), "i8")
            grows = h5py.h5s.create_simple((6, 4), (UNLIMITED, 4))
            grows.select_hyperslab((0, 0), (UNLIMITED, 1), (1, 4), (1, 4))
            put(b"grows", (UNLIMITED, 4), (UNLIMITED, 1), (1, 4), (2, 4), (1, 0), grows,
                (f"g{number}_3.h5".encode(), b"x"), "f8")
            put(b"grows_whole", (UNLIMITED, 4), (1, 1), (UNLIMITED, 4), (1, 4), (0, 0), grows,
                (f"g{number}_2.h5".encode(), b"x"), "f8")
            put(b"not_there", (UNLIMITED, 4), (UNLIMITED, 1), (1, 4), (1, 4), (0, 0), grows, (b"none.h5", b"x"), "f8")
        same_as_h5py(path, ["numbered", "grows", "grows_whole", "not_there"])
        with h5py.File(f"{folder}/g{number}_3.h5", "a") as file:
            file["x"].resize(11, 0)
            file["x"][6:] = 8
        with h5py.File(f"{folder}/g{number}_4.h5", "w") as file:
            file["y4"] = np.full((2, 4), 44)
        same_as_h5py(path, ["numbered", "grows", "grows_whole"], step=2)
    return paths


def bad(folder):
    """Sources that are no good: an error that names both files."""
    sources(folder, (6, 8), 1)
    with h5py.File(f"{folder}/bad.h5", "w") as file:
        for name, part in (("short", "short.h5"), ("broken", "broken.h5"), ("text", "text.h5")):
            layout = h5py.VirtualLayout((6, 8), "f4")
            layout[:] = h5py.VirtualSource(part, "x", (6, 8))
            file.create_virtual_dataset(name, layout)
        layout = h5py.VirtualLayout((2,), "f4")
        layout[:] = h5py.VirtualSource(".", "itself", (2,))
        file.create_virtual_dataset("itself", layout)
    with h5py.File(f"{folder}/short.h5", "w") as file:
        file["x"] = np.zeros((4, 8), "f4")
    open(f"{folder}/broken.h5", "wb").write(open(f"{folder}/src_0.h5", "rb").read()[:900])
    with h5py.File(f"{folder}/text.h5", "w") as file:
        file["x"] = np.full((6, 8), b"abc")
    done = subprocess.run([sys.argv[1], f"{folder}/bad.h5", folder, "0"], capture_output=True, text=True)
    assert "bad.h5" in done.stderr and done.returncode == 1, done
    return [f"{folder}/bad.h5"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        paths = links(folder) + virtual(folder) + growing(folder) + bad(folder)
        DUMPED.damage(paths, folder, int(os.environ.get("WEFT_MUTATIONS", "12")), RNG)
    print(f"{DUMPED.checked} variables are equal")


main()
