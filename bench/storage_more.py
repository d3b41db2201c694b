"""Rows of tools/bench storage: Zarr beside tensorstore, zarr-python and Dask; GRIB beside xarray + cfgrib; a cold cache."""

import os
import pathlib
import shutil
import subprocess

MAKE_ZARR = """
import sys, numpy as np, xarray as xr, zarr
source, path, sharded = sys.argv[1], sys.argv[2], sys.argv[3] == 'sharded'
ds = xr.open_dataset(source)
encoding = {'chunks': (20, 103, 144), 'compressors': [zarr.codecs.ZstdCodec(level=3)]}
if sharded:
    encoding['shards'] = (20, 721, 720)
ds['tas'].encoding = {}
ds.to_zarr(path, zarr_format=3, encoding={'tas': encoding}, consolidated=True)
"""
DASK_ZARR = """
import sys, dask, dask.array as da, numpy as np
x = da.from_zarr(sys.argv[1], component='tas')
with dask.config.set(scheduler='threads'):
    np.save(sys.argv[2], x.mean(0, dtype='f8').astype('f4').compute())
"""
ZARR_PYTHON = """
import sys, zarr, numpy as np
x = zarr.open_array(sys.argv[1] + '/tas', mode='r')
total = np.zeros(x.shape[1:])
for t in range(0, x.shape[0], 20):
    total += x[t:t + 20].sum(0, dtype='f8')
np.save(sys.argv[2], (total / x.shape[0]).astype('f4'))
"""
TENSORSTORE = """
import sys, tensorstore as ts, numpy as np
x = ts.open({'driver': 'zarr3', 'kvstore': {'driver': 'file', 'path': sys.argv[1] + '/tas'}}, read=True).result()
total = np.zeros(x.shape[1:])
step = 20
ahead = x[0:step].read()
for t in range(0, x.shape[0], step):
    here = ahead.result()
    if t + step < x.shape[0]:
        ahead = x[t + step:min(t + 2 * step, x.shape[0])].read()
    total += here.sum(0, dtype='f8')
np.save(sys.argv[2], (total / x.shape[0]).astype('f4'))
"""
MAKE_GRIB = """
import sys, numpy as np, eccodes as ec
rng = np.random.default_rng(5)
with open(sys.argv[1], 'wb') as out:
    for step in range(int(sys.argv[2])):
        h = ec.codes_grib_new_from_samples('regular_ll_pl_grib2')
        for key, value in (('Ni', 720), ('Nj', 361), ('latitudeOfFirstGridPointInDegrees', 90),
                           ('latitudeOfLastGridPointInDegrees', -90), ('longitudeOfFirstGridPointInDegrees', 0),
                           ('longitudeOfLastGridPointInDegrees', 359.5), ('iDirectionIncrementInDegrees', .5),
                           ('jDirectionIncrementInDegrees', .5), ('shortName', 't'), ('level', 500), ('bitsPerValue', 16),
                           ('dataDate', 20010101 + step // 4), ('dataTime', step % 4 * 600)):
            ec.codes_set(h, key, value)
        ec.codes_set_values(h, 280 + 10 * rng.standard_normal(720 * 361))
        ec.codes_write(h, out)
        ec.codes_release(h)
"""
CFGRIB = """
import sys, xarray as xr
ds = xr.open_dataset(sys.argv[1], engine='cfgrib', chunks={'time': 4}, backend_kwargs={'indexpath': sys.argv[3]})
ds[['t']].mean('time').to_netcdf(sys.argv[2])
"""
EQUAL = """
import sys, netCDF4, numpy as np
def values(path):
    if path.endswith('.npy'):
        return np.load(path)
    f = netCDF4.Dataset(path)
    return np.ma.filled(f[sys.argv[3]][:].squeeze(), np.nan)
np.testing.assert_allclose(values(sys.argv[1]), values(sys.argv[2]), rtol=2e-5)
"""


def forget(path):
    """Takes a file, or all of a folder, out of the page cache."""
    path = pathlib.Path(path)
    for one in [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]:
        descriptor = os.open(one, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def row(title, systems, source, rounds, cold, timed, log, check):
    """Times each system in turns, from a warm or a cold cache, and prints them beside weft."""
    best = {}
    for _ in range(rounds):
        for name, (command, _out) in systems.items():
            if cold:
                forget(source)
            seconds = timed(command, log)
            if seconds is not None:
                best[name] = min(seconds, best.get(name, seconds))
    equal = [name for name, (_, out) in systems.items() if name != "weft" and name in best and check(systems["weft"][1], out)]
    print(title + (", cold cache" if cold else "") + (f", equal to {', '.join(equal)}" if equal else ""))
    for name, seconds in best.items():
        ratio = "" if name == "weft" or "weft" not in best else f"   {seconds / best['weft']:5.2f} x weft"
        print(f"  {name:16} {seconds:8.3f} s{ratio}")


def rows(given, python, has, folder, files, steps, timed, log):
    weft = [given.weft, "reduce", "mean", "--quiet", "--overwrite", "--dim", "time"]

    def checker(variable):
        return lambda a, b: subprocess.run([python, "-c", EQUAL, str(a), str(b), variable], capture_output=True, check=False).returncode == 0

    caches = [False, True] if given.cold else [False]
    if given.only in "mean over time, Zarr 3, zstd" and has("zarr") and has("xarray"):
        for kind in ("chunks", "sharded"):
            store = folder / f"{kind}-{steps}.zarr"
            if not store.exists():
                subprocess.run([python, "-c", MAKE_ZARR, str(files["gzip"][0]), str(store), kind], check=True)
            systems = {"weft": ([*weft, str(store), str(folder / "out.nc")], folder / "out.nc")}
            for name, module, program in (("tensorstore", "tensorstore", TENSORSTORE), ("zarr-python", "zarr", ZARR_PYTHON),
                                          ("Dask + zarr", "dask", DASK_ZARR)):
                if has(module):
                    out = folder / f"{module}.npy"
                    systems[name] = ([python, "-c", program, str(store), str(out)], out)
            for cold in caches:
                title = "mean over time, Zarr 3, zstd" + (", shards" if kind == "sharded" else "")
                row(title, systems, store, given.rounds, cold, timed, log, checker("tas"))
    if given.only in "mean over time, GRIB" and has("cfgrib"):
        path = folder / f"t-{steps}.grib"
        if not path.exists():
            subprocess.run([python, "-c", MAKE_GRIB, str(path), str(min(steps, 100))], check=True)
        systems = {"weft": ([*weft, str(path), str(folder / "out.nc")], folder / "out.nc"),
                   "xarray + cfgrib": ([python, "-c", CFGRIB, str(path), str(folder / "cfgrib.nc"), str(folder / "cfgrib.idx")],
                                       folder / "cfgrib.nc")}
        if shutil.which("cdo"):
            systems["CDO timmean"] = (["cdo", "-s", "-O", "-f", "nc4", "timmean", str(path), str(folder / "cdo.nc")], folder / "cdo.nc")
        for cold in caches:
            row("mean over time, GRIB 2, 16 bits", systems, path, given.rounds, cold, timed, log, checker("t"))
    if given.cold and given.only in "mean over time, gzip-4 + shuffle, cold cache" and has("dask"):
        import storage  # the module that calls this one
        path = files["gzip"][0]
        systems = {"weft": ([*weft, str(path), str(folder / "out.nc")], folder / "out.nc"),
                   "Dask + h5py": ([python, "-c", storage.DASK, str(path), str(folder / "dask.npy")], folder / "dask.npy")}
        row("mean over time, gzip-4 + shuffle", systems, path, given.rounds, True, timed, log, checker("tas"))
