"""tools/bench storage: `weft reduce` beside Dask + h5py, xarray + Dask, CDO and NCO, in one table, outputs checked equal.

    tools/bench storage                    mean over time, gzip + shuffle and uncompressed; monthly climatology; one small file
    tools/bench storage --small            a quarter of the steps
    tools/bench storage --only many        rows whose title has this: opening, mean, climatology, budget
    tools/bench storage --cold             also from a cold page cache, where there is a row for it
    tools/bench storage --rounds 1         rounds in turns; the best of each system is shown
    tools/bench storage --folder DIR       where the files are made and kept (default: build/storage)

The cube is (600, 721, 720) float32 rounded to 0.01, in chunks of (20, 103, 144): 1.25 GB decoded. Every figure is the wall time of
a whole process, its start included. 4,000 files of three small variables are opened without and with weft's index, by their
description alone; a budget of a tenth of the data is shown with the most memory that the process had. Files are made with h5py and lie in the page cache. Systems that are missing are left out.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

import storage_more

ROOT = pathlib.Path(__file__).resolve().parent.parent

DASK = """
import sys, h5py, dask, dask.array as da, numpy as np
f = h5py.File(sys.argv[1], 'r')
x = da.from_array(f['tas'], chunks=(20, 103, 144), lock=True)
with dask.config.set(scheduler='threads'):
    np.save(sys.argv[2], x.mean(0, dtype='f8').astype('f4').compute())
"""
XARRAY = """
import sys, xarray as xr, dask
ds = xr.open_dataset(sys.argv[1], chunks={'time': 20, 'lat': 103, 'lon': 144})
out = ds[['tas']].groupby('time.month').mean() if sys.argv[3] == 'month' else ds[['tas']].mean('time')
out.to_netcdf(sys.argv[2])
"""
MAKE = """
import sys, h5py, numpy as np
path, steps, gzip = sys.argv[1], int(sys.argv[2]), sys.argv[3] == 'gzip'
lat, lon = (721, 720) if steps > 10 else (73, 144)
chunk = (min(20, steps), min(103, lat), min(144, lon))
rng = np.random.default_rng(5)
with h5py.File(path, 'w') as f:
    for name, values, units in (('time', np.arange(steps) * 1.0, 'days since 2001-01-01'),
                                ('lat', np.linspace(-90, 90, lat), 'degrees_north'),
                                ('lon', np.arange(lon) * 360.0 / lon, 'degrees_east')):
        f[name] = values
        f[name].attrs['units'] = units
        f[name].make_scale(name)
    x = f.create_dataset('tas', (steps, lat, lon), 'f4', chunks=chunk, shuffle=gzip, compression='gzip' if gzip else None)
    x.attrs['units'] = 'K'
    for axis, name in enumerate(('time', 'lat', 'lon')):
        x.dims[axis].attach_scale(f[name])
    base = 280 + 30 * np.cos(np.linspace(-1.5, 1.5, lat))[:, None] + np.zeros((lat, lon))
    for t in range(0, steps, chunk[0]):
        n = min(chunk[0], steps - t)
        x[t:t + n] = np.round(base + 3 * rng.standard_normal((n, lat, lon)), 2).astype('f4')
"""


WRITE = """
import sys, h5py
with h5py.File(sys.argv[1]) as f, h5py.File(sys.argv[2], 'w') as out:
    x = f['tas']
    y = out.create_dataset('tas', x.shape, x.dtype, chunks=x.chunks, shuffle=True, compression='gzip', compression_opts=4)
    for t in range(0, x.shape[0], x.chunks[0]):
        y[t:t + x.chunks[0]] = x[t:t + x.chunks[0]]
"""
MANY = """
import sys, os, netCDF4, numpy as np
rng = np.random.default_rng(1)
os.makedirs(sys.argv[1])
for i in range(int(sys.argv[2])):
    path = f'{sys.argv[1]}/m{i:05}.nc'
    with netCDF4.Dataset(path, 'w') as f:
        for name, values, units in (('time', [i], 'days since 2001-01-01'), ('lat', np.linspace(-85, 85, 18), 'degrees_north'),
                                    ('lon', np.arange(36) * 10.0, 'degrees_east')):
            f.createDimension(name, None if name == 'time' else len(values))
            f.createVariable(name, 'f8', (name,))[:] = values
            f[name].units = units
        for name in ('tas', 'pr', 'hus'):
            x = f.createVariable(name, 'f4', ('time', 'lat', 'lon'), zlib=True, chunksizes=(1, 18, 36))
            x.units = 'K'
            x[:] = rng.standard_normal((1, 18, 36)).astype('f4')
    os.utime(path, (1.6e9, 1.6e9))
"""
XARRAY_MANY = """
import sys, glob, xarray as xr
print(xr.open_mfdataset(sorted(glob.glob(sys.argv[1] + '/*.nc')), combine='nested', concat_dim='time', data_vars='minimal',
                        coords='minimal', compat='override', join='override').sizes)
"""


def peak_of(command):
    """Runs a command and returns its most resident memory in MiB."""
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(job.pid, 0)
    job.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_maxrss / 1024 if job.returncode == 0 else None


def opening(weft, python, folder, rounds, log, has_xarray):
    """Opening thousands of files: without an index, with one, and xarray."""
    many = folder / "many"
    if not many.exists():
        subprocess.run([python, "-c", MANY, str(many), "4000"], check=True)
    systems = {"weft, first time": [weft, "info", "--index", "off", str(many)],
               "weft, second time": [weft, "info", "--index", str(folder / "index"), str(many)]}
    if has_xarray:
        systems["xarray"] = [python, "-c", XARRAY_MANY, str(many)]
    timed(systems["weft, second time"], log)  # makes the index
    print("opening 4,000 files")
    for name, command in systems.items():
        seconds = [timed(command, log) for _ in range(1 if name == "xarray" else rounds)]
        if None not in seconds:
            print(f"  {name:18} {min(seconds):8.3f} s")


def timed(command, log):
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        log.append(f"{' '.join(command[:4])}: {done.stdout.strip()[-300:]}")
        return None
    return seconds


def main(arguments, _weft_bench):
    parser = argparse.ArgumentParser(prog="tools/bench storage", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="rows whose title has this")
    parser.add_argument("--folder", default=str(ROOT / "build" / "storage"))
    parser.add_argument("--weft", default=str(ROOT / "build" / "bin" / "weft"))
    given = parser.parse_args(arguments)
    python = os.environ.get("WEFT_BENCH_PYTHON") or (str(ROOT / ".venv/bin/python") if (ROOT / ".venv/bin/python").exists() else sys.executable)

    def has(module):
        return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0

    if not has("h5py"):
        print("tools/bench storage needs h5py: tools/setup --bench")
        return 1
    folder = pathlib.Path(given.folder)
    folder.mkdir(parents=True, exist_ok=True)
    steps = 150 if given.small else 600
    files = {"gzip": (folder / f"gzip-{steps}.nc", steps), "raw": (folder / f"raw-{steps}.nc", steps), "tiny": (folder / "tiny.nc", 10)}
    for kind, (path, count) in files.items():
        if not path.exists():
            subprocess.run([python, "-c", MAKE, str(path), str(count), "gzip" if kind != "raw" else "raw"], check=True)
    out = str(folder / "out.nc")
    log = []
    weft = [given.weft, "reduce", "mean", "--quiet", "--overwrite"]
    rows = []
    for kind, title in (("gzip", "mean over time, gzip-4 + shuffle"), ("raw", "mean over time, uncompressed"), ("tiny", "mean over time, one small file")):
        path = str(files[kind][0])
        systems = {"weft": weft + ["--dim", "time", path, out]}
        if has("dask") and kind != "tiny":
            systems["Dask + h5py"] = [python, "-c", DASK, path, str(folder / "dask.npy")]
        if has("xarray") and has("dask") and kind != "tiny":
            systems["xarray + Dask"] = [python, "-c", XARRAY, path, str(folder / "xarray.nc"), "all"]
        if shutil.which("cdo"):
            systems["CDO timmean"] = ["cdo", "-s", "-O", "-P", "2", "timmean", path, str(folder / "cdo.nc")]
        if shutil.which("ncra"):
            systems["NCO ncra"] = ["ncra", "-O", path, str(folder / "nco.nc")]
        rows.append((title, systems, folder / "cdo.nc"))
    path = str(files["gzip"][0])
    systems = {"weft": weft + ["--by", "time.month", path, out]}
    if has("xarray") and has("dask"):
        systems["xarray + Dask"] = [python, "-c", XARRAY, path, str(folder / "xarray.nc"), "month"]
    if shutil.which("cdo"):
        systems["CDO ymonmean"] = ["cdo", "-s", "-O", "-P", "2", "ymonmean", path, str(folder / "cdo.nc")]
    rows.append(("monthly climatology, gzip-4 + shuffle", systems, folder / "cdo.nc"))
    for title, systems, peer in rows:
        if given.only not in title:
            continue
        best = {}
        for _ in range(given.rounds):
            for name, command in systems.items():
                seconds = timed(command, log)
                if seconds is not None:
                    best[name] = min(seconds, best.get(name, seconds))
        equal = ""
        if "weft" in best and any(name.startswith("CDO") for name in best):
            check = ("import sys, netCDF4, numpy as np\n"
                     "a, b = (np.ma.filled(netCDF4.Dataset(p)['tas'][:].squeeze(), np.nan) for p in sys.argv[1:])\n"
                     "np.testing.assert_allclose(a, b, rtol=2e-5)")
            done = subprocess.run([python, "-c", check, out, str(peer)], capture_output=True, text=True, check=False)
            equal = ", equal to CDO's" if done.returncode == 0 else ", NOT checked equal: " + done.stderr.strip()[-120:]
        print(f"{title}{equal}")
        for name, seconds in best.items():
            ratio = "" if name == "weft" or "weft" not in best else f"   {seconds / best['weft']:5.2f} x weft"
            print(f"  {name:16} {seconds:8.3f} s{ratio}")
    storage_more.rows(given, python, has, folder, files, steps, timed, log)
    if given.only in "opening many files":
        opening(given.weft, python, folder, given.rounds, log, has("xarray") and has("dask"))
    if given.only in "writing packed chunks":
        raw = str(files["raw"][0])
        written = {"weft, 2 threads": ([given.weft, "convert", "--quiet", "--overwrite", "--var", "tas", raw], folder / "weft-out.nc"),
                   "h5py": ([python, "-c", WRITE, raw], folder / "h5py-out.nc")}
        if shutil.which("mpirun"):
            written["weft, 4 ranks"] = (["mpirun", "--oversubscribe", "--allow-run-as-root", "--bind-to", "none", "-n", "4",
                                         *written["weft, 2 threads"][0]], folder / "weft-4.nc")
            written["4 ranks, --parts"] = ([*written["weft, 4 ranks"][0], "--parts"], folder / "weft-parts.nc")
        print("writing packed chunks, gzip-4 + shuffle")
        for name, (command, path) in written.items():
            seconds = [timed([*command, str(path)], log) for _ in range(given.rounds)]
            if None not in seconds:
                size = sum(file.stat().st_size for file in [path, *folder.glob(path.name + ".parts-*/*")])
                print(f"  {name:18} {min(seconds):8.3f} s  {size / 1e6:8.1f} MB")
    if given.only in "a budget of a tenth":
        path, count = files["gzip"]
        budget = count * 721 * 720 * 4 // 10
        print(f"a budget of a tenth of the data ({budget >> 20} MiB): most memory of the process")
        for words in (["mean", "--dim", "time"], ["mean", "--by", "time.month"], ["median", "--dim", "time"]):
            peak = peak_of([given.weft, "reduce", *words, "--quiet", "--overwrite", "--memory", str(budget), str(path), out])
            seconds = timed([given.weft, "reduce", *words, "--quiet", "--overwrite", "--memory", str(budget), str(path), out], log)
            if peak is not None and seconds is not None:
                print(f"  {words[0] + ' ' + words[-1]:18} {peak:6.0f} MiB  {seconds:8.3f} s")
    for line in sorted(set(log)):
        print("failed:", line)
    return 1 if log else 0
