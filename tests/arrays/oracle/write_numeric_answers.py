#!/usr/bin/env python3
"""Writes NumPy's and SciPy's answers for algebra, transforms, order and statistics.

usage: write_numeric_answers.py > numeric_answers.txt

A line a case: section, name, the answer's dtype and shape, its elements (floating ones in hexadecimal). Inputs are made
by the same formula on both sides: see numbers().
"""
import numpy as np
import scipy.linalg


def numbers(shape, seed):
    i = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64)
    return (((31 * i * i + 17 * i + 101 * seed) % 1009) / 1009 - 0.5).reshape(shape)


def complexes(shape, seed):
    return numbers(shape, seed) + 1j * numbers(shape, seed + 50)


def wholes(shape, seed):
    return np.rint(numbers(shape, seed) * 20).astype(np.int64)


def element(value):
    if isinstance(value, (np.bool_, bool)):
        return str(int(value))
    if isinstance(value, np.complexfloating):
        return f"{float(value.real).hex()},{float(value.imag).hex()}"
    if isinstance(value, np.floating):
        return float(value).hex()
    return str(int(value))


def show(section, cases):
    for name, answer in cases.items():
        answer = np.asarray(answer)
        words = [section, name, str(answer.dtype), "x".join(map(str, answer.shape)) or "-"]
        print(" ".join(words + [element(one) for one in answer.ravel()]))


def algebra():
    a, b, v, w = numbers((5, 4), 1), numbers((4, 6), 2), numbers((7,), 3), numbers((7,), 4)
    c, d = complexes((5, 4), 5), complexes((4, 3), 6)
    i, j = wholes((5, 4), 7), wholes((4, 6), 8)
    cube, brick = numbers((2, 3, 4), 9), numbers((4, 3, 5), 10)
    square = numbers((6, 6), 11) + 3 * np.eye(6)
    turned = complexes((5, 5), 12) + 3 * np.eye(5)
    wide, tall = numbers((4, 9), 13), numbers((9, 4), 14)
    positive = tall @ tall.T + np.eye(9)
    hermitian = c @ c.conj().T + np.eye(5)
    symmetric = square + square.T
    sides = numbers((6, 2), 15)
    lower = np.tril(square)
    p, l, u = scipy.linalg.lu(numbers((7, 7), 16))
    pt, lt, ut = scipy.linalg.lu(tall)
    pw, lw, uw = scipy.linalg.lu(wide)
    x, residuals, rank, s = np.linalg.lstsq(tall, numbers((9, 2), 17), rcond=None)
    flat = np.array([[1.0, 2], [2, 4], [3, 6], [-1, -2]])
    show("algebra", {
        "dot": a @ b, "dot_vectors": np.dot(v, w), "dot_many": np.dot(cube, brick.transpose(1, 0, 2)), "dot_complex": c @ d,
        "dot_float32": a.astype("f4") @ b.astype("f4"), "dot_integers": i @ j, "matmul_batch": cube @ numbers((2, 4, 3), 18),
        "matmul_empty": np.zeros((3, 0)) @ np.zeros((0, 2)),
        "vdot": np.vdot(v, w), "vdot_complex": np.vdot(c, complexes((5, 4), 19)), "vdot_matrices": np.vdot(a, numbers((4, 5), 1)),
        "outer": np.outer(v, a), "inner": np.inner(a, numbers((3, 4), 19)), "inner_vectors": np.inner(v, w), "inner_scalar": np.inner(np.float64(3), a),
        "kron": np.kron(a, numbers((2, 3), 30)), "kron_vector": np.kron(v, a), "kron_cube": np.kron(cube, wholes((2, 1, 2), 31)),  "trace": np.trace(a), "trace_above": np.trace(b, 1), "trace_cube": np.trace(cube),
        "tensordot_1": np.tensordot(cube, brick, 1), "tensordot_axes": np.tensordot(cube, brick, ([1, 2], [1, 0])),
        "tensordot_0": np.tensordot(v, w, 0), "tensordot_integers": np.tensordot(i, j, 1),
        "tensordot_negative": np.tensordot(cube, brick, ([-1], [-3])),
        "einsum_product": np.einsum("ij,jk->ik", a, b), "einsum_implied": np.einsum("ij,jk", a, b),
        "einsum_trace": np.einsum("ii", square), "einsum_diagonal": np.einsum("ii->i", square),
        "einsum_transpose": np.einsum("ijk->kij", cube), "einsum_sum": np.einsum("ijk->j", cube),
        "einsum_outer": np.einsum("i,j->ji", v, w), "einsum_batch": np.einsum("bij,bjk->bik", cube, numbers((2, 4, 3), 18)),
        "einsum_three": np.einsum("ij,jk,kl->il", a, b, numbers((6, 3), 20)), "einsum_dots": np.einsum("...ij,jk->...ik", cube, b),
        "einsum_ones": np.einsum("ij,ij->ij", a, numbers((1, 4), 21)), "einsum_dots_out": np.einsum("i...->...", cube),
        "einsum_complex": np.einsum("ij,jk->ki", c, d), "einsum_weighted": np.einsum("ij,ij->i", a, numbers((5, 4), 22)),
        "einsum_integers": np.einsum("ij,jk->k", i, j),
        "norm": np.linalg.norm(a), "norm_vector_1": np.linalg.norm(v, 1), "norm_vector_inf": np.linalg.norm(v, np.inf),
        "norm_vector_least": np.linalg.norm(v, -np.inf), "norm_vector_0": np.linalg.norm(v, 0), "norm_vector_3": np.linalg.norm(v, 3),
        "norm_vector_half": np.linalg.norm(v, -0.5), "norm_fro": np.linalg.norm(c, "fro"), "norm_nuc": np.linalg.norm(a, "nuc"),
        "norm_1": np.linalg.norm(a, 1), "norm_minus_1": np.linalg.norm(a, -1), "norm_inf": np.linalg.norm(a, np.inf),
        "norm_minus_inf": np.linalg.norm(a, -np.inf), "norm_2": np.linalg.norm(a, 2), "norm_minus_2": np.linalg.norm(a, -2),
        "norm_axis": np.linalg.norm(cube, axis=1), "norm_axes": np.linalg.norm(cube, 1, axis=(2, 0)),
        "norm_keepdims": np.linalg.norm(cube, axis=(0, 2), keepdims=True), "norm_cube": np.linalg.norm(cube),
        "norm_float32": np.linalg.norm(a.astype("f4"), axis=0),
        "cholesky": np.linalg.cholesky(positive), "cholesky_upper": np.linalg.cholesky(positive).T,
        "cholesky_complex": np.linalg.cholesky(hermitian), "cholesky_float32": np.linalg.cholesky(positive.astype("f4")),
        "lu_p": p, "lu_l": l, "lu_u": u, "lu_tall_l": lt, "lu_tall_u": ut, "lu_tall_p": pt, "lu_wide_l": lw, "lu_wide_u": uw,
        "solve": np.linalg.solve(square, sides), "solve_vector": np.linalg.solve(square, sides[:, 0]),
        "solve_complex": np.linalg.solve(turned, c), "solve_integers": np.linalg.solve(wholes((3, 3), 23) + 30 * np.eye(3, dtype=int), np.arange(3)),
        "solve_lower": scipy.linalg.solve_triangular(lower, sides, lower=True),
        "solve_upper": scipy.linalg.solve_triangular(lower.T, sides[:, 0]),
        "inv": np.linalg.inv(square), "inv_complex": np.linalg.inv(turned), "inv_float32": np.linalg.inv(square.astype("f4")),
        "det": np.linalg.det(square), "det_negative": np.linalg.det(numbers((4, 4), 24)), "det_singular": np.linalg.det(np.ones((3, 3))),
        "det_complex": np.linalg.det(turned), "slogdet_sign": np.linalg.slogdet(numbers((4, 4), 24))[0],
        "slogdet_log": np.linalg.slogdet(square)[1],
        "lstsq_x": x, "lstsq_residuals": residuals, "lstsq_rank": np.int64(rank), "lstsq_s": s,
        "lstsq_wide": np.linalg.lstsq(wide, numbers((4,), 25), rcond=None)[0],
        "lstsq_deficient": np.linalg.lstsq(flat, np.arange(4.0), rcond=None)[0],
        "lstsq_complex": np.linalg.lstsq(c, numbers((5,), 26), rcond=None)[0],
        "svd_values": np.linalg.svd(tall, compute_uv=False), "svd_values_wide": np.linalg.svd(wide, compute_uv=False),
        "svd_values_complex": np.linalg.svd(c, compute_uv=False), "svd_whole": tall, "svd_whole_wide": wide, "svd_whole_complex": c,
        "svd_float32": np.linalg.svd(tall.astype("f4"), compute_uv=False),
        "qr_whole": tall, "qr_whole_wide": wide, "qr_whole_square": square, "qr_whole_complex": c, "qr_gram": np.eye(4),
        "qr_gram_square": np.eye(6), "qr_r_size": np.abs(np.linalg.qr(tall)[1]), "sfqr_whole": wide, "tsqr_gram": np.eye(4),
        "tsqr_r_size": np.abs(np.linalg.qr(numbers((40, 3), 27))[1]), "tsqr_whole": numbers((40, 3), 27),
        "eigh_values": np.linalg.eigvalsh(symmetric), "eigh_whole": symmetric, "eigh_complex": np.linalg.eigvalsh(hermitian),
        "power_3": np.linalg.matrix_power(square, 3), "power_0": np.linalg.matrix_power(square, 0),
        "power_minus_2": np.linalg.matrix_power(square, -2), "power_integers": np.linalg.matrix_power(wholes((3, 3), 28), 5),
    })


def order():
    x, rows, cube, f = numbers((11,), 1), numbers((5, 7), 2), numbers((3, 4, 5), 3), numbers((5, 6), 4)
    holes = np.where(f > 0.3, np.nan, f)
    i = wholes((13,), 5)
    small = np.sort(wholes((9,), 7))
    many = wholes((3, 4), 8)

    def q(array, method):
        return np.quantile(array, 0.4, method=method)
    i12, f12 = wholes((12,), 5), numbers((12,), 5)
    show("order", {
        "sort": np.sort(x), "sort_rows": np.sort(rows), "sort_columns": np.sort(rows, 0), "sort_cube": np.sort(cube, 1),
        "sort_nan": np.sort(holes), "sort_integers": np.sort(i), "sort_int8": np.sort(i.astype("i1")),
        "sort_uint64": np.sort(np.abs(i).astype("u8")), "sort_bool": np.sort(i > 2), "sort_float32": np.sort(x.astype("f4")),
        "sort_complex": np.sort(np.rint(complexes((9,), 6) * 3)), "sort_empty": np.zeros(0), "argsort": np.argsort(i, kind="stable"),
        "argsort_columns": np.argsort(holes, 0, kind="stable"), "partition": np.partition(x, 4)[4:5], "topk": np.sort(x)[::-1][:3],
        "topk_least": np.sort(rows, 0)[:2], "topk_many": np.sort(wholes((4,), 5))[::-1],
        "argtopk": np.argsort(-rows, 1, kind="stable")[:, :3], "median": np.median(f), "median_0": np.median(f, 0),
        "median_keepdims": np.median(cube, (0, 2), keepdims=True), "median_integers": np.median(i12),
        "median_nan": np.median(holes, 1), "nanmedian": np.nanmedian(holes, 1), "percentile": np.percentile(f, 30),
        "percentile_float32": np.percentile(f.astype("f4"), 30, axis=0), "quantile_many": np.quantile(f, [0, 0.1, 0.77, 1], axis=1),
        "quantile_lower": q(i12, "lower"), "quantile_higher": q(i12, "higher"), "quantile_nearest": q(i12, "nearest"),
        "quantile_midpoint": q(i12, "midpoint"), "quantile_hazen": q(f12, "hazen"), "quantile_weibull": q(f12, "weibull"),
        "quantile_median_unbiased": q(f12, "median_unbiased"), "quantile_normal_unbiased": q(f12, "normal_unbiased"),
        "nanquantile": np.nanquantile(holes, [0.2, 0.9], axis=0), "nanpercentile": np.nanpercentile(holes, 65),
        "searchsorted": np.searchsorted(small, many), "searchsorted_right": np.searchsorted(small, many, "right"),
        "digitize": np.digitize(i, [-5, 0, 3, 8]), "digitize_right": np.digitize(i, [-5, 0, 3, 8], True),
        "digitize_down": np.digitize(f, [0.4, 0.1, -0.2]), "isin": np.isin(wholes((4, 5), 9), wholes((6,), 10)),
        "isin_not": np.isin(wholes((4, 5), 9), wholes((2, 3), 10), invert=True),
    })


algebra()
order()
