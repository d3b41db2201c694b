#!/usr/bin/env python3
"""Writes projection_answers.txt: places on maps, and where they are on the earth, by PROJ (pip install pyproj).

A line `map` begins a grid mapping in CF's names; lines `at` are x, y (m; degrees of a rotated pole, radians of a view),
latitude and longitude."""
import math
import os
import random

from pyproj import CRS, Transformer

WGS = {"reference_ellipsoid_name": "WGS 84"}
GRS = {"reference_ellipsoid_name": "GRS 1980"}
BALL = {"earth_radius": 6371229.0}
CLARKE = {"semi_major_axis": 6378206.4, "inverse_flattening": 294.978698213898}
SHORT = {"semi_major_axis": 6378388.0, "semi_minor_axis": 6356911.946}


def ellipsoid(mapping):
    if "earth_radius" in mapping:
        return f"+R={mapping['earth_radius']}"
    if "semi_minor_axis" in mapping:
        return f"+a={mapping['semi_major_axis']} +b={mapping['semi_minor_axis']}"
    if "inverse_flattening" in mapping:
        return f"+a={mapping['semi_major_axis']} +rf={mapping['inverse_flattening']}"
    return "+ellps=GRS80" if mapping.get("reference_ellipsoid_name") == "GRS 1980" else "+ellps=WGS84"


# The mapping, PROJ's words for it, and the places: longitudes and latitudes.
CASES = []


def case(name, words, places, earth=WGS, **parameters):
    CASES.append(({"grid_mapping_name": name, **earth, **parameters}, words, places))


NORTH = [(-180, 180), (30, 89.99)]
SOUTH = [(-180, 180), (-89.99, -40)]
for earth in (WGS, BALL, CLARKE, SHORT):
    case("polar_stereographic", "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45", NORTH, earth,
         straight_vertical_longitude_from_pole=-45, latitude_of_projection_origin=90, standard_parallel=70)
    case("polar_stereographic", "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +x_0=100 +y_0=-7", SOUTH, earth,
         straight_vertical_longitude_from_pole=0, latitude_of_projection_origin=-90, standard_parallel=-71,
         false_easting=100, false_northing=-7)
    case("lambert_conformal_conic", "+proj=lcc +lat_1=25 +lat_2=60 +lat_0=40 +lon_0=-100", [(-150, -50), (-10, 80)], earth,
         standard_parallel=[25, 60], latitude_of_projection_origin=40, longitude_of_central_meridian=-100)
    case("albers_conical_equal_area", "+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96", [(-150, -50), (-10, 85)], earth,
         standard_parallel=[29.5, 45.5], latitude_of_projection_origin=23, longitude_of_central_meridian=-96)
    case("lambert_azimuthal_equal_area", "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000", [(-40, 70), (0, 85)], earth,
         latitude_of_projection_origin=52, longitude_of_projection_origin=10, false_easting=4321000, false_northing=3210000)
    case("transverse_mercator", "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000", [(-30, 26), (-80, 84)],
         earth, latitude_of_projection_origin=49, longitude_of_central_meridian=-2,
         scale_factor_at_central_meridian=0.9996012717, false_easting=400000, false_northing=-100000)
    case("mercator", "+proj=merc +lon_0=110 +lat_ts=33", [(-60, 280), (-80, 84)], earth, longitude_of_projection_origin=110,
         standard_parallel=33)
    case("lambert_cylindrical_equal_area", "+proj=cea +lon_0=0 +lat_ts=30", [(-180, 180), (-88, 88)], earth,
         longitude_of_central_meridian=0, standard_parallel=30)
    case("sinusoidal", "+proj=sinu +lon_0=20", [(-150, 190), (-89, 89)], earth, longitude_of_projection_origin=20)
    case("stereographic", "+proj=stere +lat_0=52 +lon_0=5 +k=0.99", [(-60, 70), (-20, 89)], earth,
         latitude_of_projection_origin=52, longitude_of_projection_origin=5, scale_factor_at_projection_origin=0.99)
    case("geostationary", "+proj=geos +h=35785831 +lon_0=9.5 +sweep=y", [(-50, 70), (-60, 60)], earth,
         perspective_point_height=35785831, longitude_of_projection_origin=9.5, sweep_angle_axis="y")
case("polar_stereographic", "+proj=stere +lat_0=90 +k=0.994 +lon_0=0 +x_0=2000000 +y_0=2000000", NORTH,
     straight_vertical_longitude_from_pole=0, latitude_of_projection_origin=90, scale_factor_at_projection_origin=0.994,
     false_easting=2000000, false_northing=2000000)
case("lambert_conformal_conic", "+proj=lcc +lat_1=63 +lat_0=63 +lon_0=15", [(-20, 50), (45, 80)], BALL, standard_parallel=63,
     latitude_of_projection_origin=63, longitude_of_central_meridian=15)
case("lambert_conformal_conic", "+proj=lcc +lat_1=-20 +lat_2=-50 +lat_0=-35 +lon_0=140", [(90, 190), (-80, 10)],
     standard_parallel=[-20, -50], latitude_of_projection_origin=-35, longitude_of_central_meridian=140)
case("albers_conical_equal_area", "+proj=aea +lat_1=-18 +lat_2=-36 +lat_0=0 +lon_0=132", [(90, 180), (-80, 10)], GRS,
     standard_parallel=[-18, -36], latitude_of_projection_origin=0, longitude_of_central_meridian=132)
for pole, lats in ((90, (5, 89.999)), (-90, (-89.999, -5))):
    case("lambert_azimuthal_equal_area", f"+proj=laea +lat_0={pole} +lon_0=0", [(-180, 180), lats],
         latitude_of_projection_origin=pole, longitude_of_projection_origin=0)
case("lambert_azimuthal_equal_area", "+proj=laea +lat_0=0 +lon_0=-30", [(-100, 40), (-80, 80)], latitude_of_projection_origin=0,
     longitude_of_projection_origin=-30)
case("transverse_mercator", "+proj=tmerc +lat_0=0 +lon_0=33 +k=0.9996 +x_0=500000 +y_0=10000000", [(28, 38), (-80, 0)],
     latitude_of_projection_origin=0, longitude_of_central_meridian=33, scale_factor_at_central_meridian=0.9996,
     false_easting=500000, false_northing=10000000)
case("mercator", "+proj=merc +lon_0=0 +k=0.9", [(-180, 180), (-80, 84)], longitude_of_projection_origin=0,
     scale_factor_at_projection_origin=0.9)
case("geostationary", "+proj=geos +h=35786023 +lon_0=-75 +sweep=x", [(-130, -20), (-60, 60)], GRS,
     perspective_point_height=35786023, longitude_of_projection_origin=-75, sweep_angle_axis="x")
for turn in (0, 37):
    case("rotated_latitude_longitude", f"+proj=ob_tran +o_proj=longlat +o_lat_p=39.25 +o_lon_p={turn} +lon_0=18",
         [(-180, 180), (-89, 89)], BALL, grid_north_pole_latitude=39.25, grid_north_pole_longitude=-162,
         north_pole_grid_longitude=turn)


def main():
    random.seed(6)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "projection_answers.txt"), "w") as out:
        for mapping, words, (lons, lats) in CASES:
            crs = CRS.from_proj4(f"{words} {ellipsoid(mapping)} +type=crs")
            globe = CRS.from_proj4(f"+proj=longlat {ellipsoid(mapping)} +type=crs")
            there = Transformer.from_crs(globe, crs, always_xy=True)
            height = mapping.get("perspective_point_height", 1) if mapping["grid_mapping_name"] == "geostationary" else 1
            parts = []
            for name, value in mapping.items():
                values = value if isinstance(value, list) else [value]
                parts.append(f"{name}=" + ",".join(str(one).replace(" ", "_") for one in values))
            print("map", *parts, file=out)
            for _ in range(12):
                lon, lat = random.uniform(*lons), random.uniform(*lats)
                x, y = there.transform(lon, lat)
                if not (math.isfinite(x) and math.isfinite(y)):
                    continue
                print("at", repr(x / height), repr(y / height), repr(lat), repr(lon), file=out)


if __name__ == "__main__":
    main()
