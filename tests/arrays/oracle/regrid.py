"""Regridding by NumPy and SciPy, by other ways than weft's: what each cell of the source counts for in each of the target
is a matrix, of SciPy's interpolation of unit fields, or of overlaps on the sphere found cell by cell."""
import numpy as np
import xarray as xr
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial import cKDTree


def edges(labels, low=-np.inf, high=np.inf):
    labels = np.asarray(labels, float)
    middle = (labels[:-1] + labels[1:]) / 2
    both = np.concatenate([[2 * labels[0] - middle[0]], middle, [2 * labels[-1] - middle[-1]]])
    return np.clip(both, low, high)


def unit(lat, lon):
    lat, lon = np.deg2rad(lat), np.deg2rad(lon)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)


def is_round(lon):
    lon = np.sort(lon)
    return lon[0] + 360 - lon[-1] <= 1.5 * np.diff(lon).max()


def linear(lat, lon, to_lat, to_lon):
    rows, columns = len(lat), len(lon)
    fields = np.eye(rows * columns).reshape(-1, rows, columns)
    order = np.argsort(lat)
    lat, fields = lat[order], fields[:, order]
    order = np.argsort(lon)
    lon, fields = lon[order], fields[:, :, order]
    if is_round(lon):
        lon = np.concatenate([[lon[-1] - 360], lon, [lon[0] + 360]])
        step = np.diff(lat)
        means = [np.repeat(one.mean(-1, keepdims=True), columns, -1) for one in (fields[:, :1], fields[:, -1:])]
        if lat[0] > -90 and lat[0] + 90 <= 1.5 * step[0]:
            lat, fields = np.concatenate([[-90], lat]), np.concatenate([means[0], fields], 1)
        if lat[-1] < 90 and 90 - lat[-1] <= 1.5 * step[-1]:
            lat, fields = np.concatenate([lat, [90]]), np.concatenate([fields, means[1]], 1)
        fields = np.concatenate([fields[:, :, -1:], fields, fields[:, :, :1]], -1)
    to_lon = (to_lon - lon[0]) % 360 + lon[0]
    a, b = np.meshgrid(to_lat, to_lon, indexing="ij")
    find = RegularGridInterpolator((lat, lon), np.moveaxis(fields, 0, -1), bounds_error=False, fill_value=0)
    return find(np.stack([a.ravel(), b.ravel()], -1))


def overlaps(source, target, turn):
    out = np.zeros((len(target) - 1, len(source) - 1))
    for i in range(len(target) - 1):
        low, high = sorted(target[i:i + 2])
        for j in range(len(source) - 1):
            from_, upto = sorted(source[j:j + 2])
            for shift in (-720, -360, 0, 360, 720) if turn else (0,):
                out[i, j] += max(0, min(high, upto + shift) - max(low, from_ + shift)) / (high - low)
    return out


def conservative(lat, lon, to_lat, to_lon):
    def sines(labels):
        return np.sin(np.deg2rad(edges(labels, -90, 90)))
    lon, to_lon = (np.unwrap(one, period=360) for one in (lon, to_lon))
    rows = overlaps(sines(lat), sines(to_lat), False)
    columns = overlaps(edges(lon), edges(to_lon), True)
    return np.einsum("ij,kl->ikjl", rows, columns).reshape(len(to_lat) * len(to_lon), -1)


def with_target(array, values, lat, lon):
    coords = {name: array.coords[name] for name in array.dims if name in array.coords and name not in ("lat", "lon")}
    dims = [dim for dim in array.dims if dim not in ("lat", "lon", "y", "x")] + ["lat", "lon"]
    made = xr.DataArray(values, dims=dims, coords={**coords, "lat": np.asarray(lat, float), "lon": np.asarray(lon, float)})
    return made.transpose(*array.dims) if "lat" in array.dims else made


def regrid(array, lat, lon, method="bilinear", min_coverage=0.5, max_distance_km=0):
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    own_lat, own_lon = array.lat.values, array.lon.values
    rest = [dim for dim in array.dims if dim not in ("lat", "lon")]
    values = array.transpose(*rest, "lat", "lon").values
    flat = values.reshape(*values.shape[:-2], -1)
    if method == "nearest":
        a, b = np.meshgrid(own_lat, own_lon, indexing="ij")
        out = points(flat, a.ravel(), b.ravel(), lat, lon, max_distance_km)
    else:
        weights = (linear if method == "bilinear" else conservative)(own_lat, own_lon, lat, lon)
        there = ~np.isnan(flat) @ weights.T
        out = np.where(there >= min_coverage - 1e-9, np.nan_to_num(flat) @ weights.T / there, np.nan)
        out = np.where(there > 0, out, np.nan).astype(values.dtype if values.dtype.kind == "f" else "float64")
    return with_target(array, out.reshape(*values.shape[:-2], len(lat), len(lon)), lat, lon)


def points(flat, own_lat, own_lon, lat, lon, max_distance_km):
    known = np.flatnonzero(~np.isnan(own_lat + own_lon))
    a, b = np.meshgrid(lat, lon, indexing="ij")
    far, place = cKDTree(unit(own_lat[known], own_lon[known])).query(unit(a.ravel(), b.ravel()))
    out = flat[..., known[place]]
    return np.where(2 * np.arcsin(far / 2) * 6371 <= max_distance_km, out, np.nan) if max_distance_km else out


def regrid_points(array, own_lat, own_lon, lat, lon, max_distance_km=0):
    flat = array.values.reshape(*array.shape[:-2], -1)
    out = points(flat, own_lat.ravel(), own_lon.ravel(), lat, lon, max_distance_km)
    return with_target(array, out.reshape(*array.shape[:-2], len(lat), len(lon)), lat, lon)
