"""Writes reference.json: inputs and what numpy and scipy make of them.

Run with Debian's python3-scipy: /usr/bin/python3 reference.py > reference.json
Sobol: Saltelli et al. (2010) table 2 (b) and (f), second order as Saltelli
(2002) and SALib state it. PRCC: scipy.stats.rankdata, residuals of least squares,
scipy.stats.pearsonr. ANOVA: sums of squares from cell means.
"""
import json
import numpy as np
from scipy import stats

rng = np.random.default_rng(20240611)


def sobol():
    n, d = 40, 3
    a, b = rng.random((n, d)), rng.random((n, d))

    def f(x):
        return 5 + np.exp(x[:, 0]) + 3 * x[:, 1] * x[:, 2] ** 2

    def mixed(x, y, i):
        z = x.copy()
        z[:, i] = y[:, i]
        return z

    A, B = f(a), f(b)
    AB = [f(mixed(a, b, i)) for i in range(d)]
    BA = [f(mixed(b, a, i)) for i in range(d)]
    both = np.concatenate([A, B])
    v, m = both.var(), both.mean()
    first = [np.mean((B - m) * (AB[i] - A)) / v for i in range(d)]
    total = [np.mean((A - AB[i]) ** 2) / 2 / v for i in range(d)]
    # With BA each estimate stands twice, A and B changing places.
    first2 = [(first[i] + np.mean((A - m) * (BA[i] - B)) / v) / 2 for i in range(d)]
    total2 = [(total[i] + np.mean((B - BA[i]) ** 2) / 2 / v) / 2 for i in range(d)]

    def closed(i, j):
        return np.mean((BA[i] - m) * (AB[j] - m) - (A - m) * (B - m)) / v

    second = [[i, j, (closed(i, j) + closed(j, i)) / 2 - first2[i] - first2[j]] for i in range(d) for j in range(i + 1, d)]
    return dict(A=A.tolist(), B=B.tolist(), AB=[x.tolist() for x in AB], BA=[x.tolist() for x in BA],
                first=first, total=total, first2=first2, total2=total2, second=[s[2] for s in second])


def prcc():
    n, d = 60, 4
    x = rng.random((n, d))
    x[:, 1] = np.round(x[:, 1] * 5)  # ties
    x[:, 3] = .5 * x[:, 0] + .5 * x[:, 3]
    y = np.exp(2 * x[:, 0]) - x[:, 1] + .3 * rng.standard_normal(n)
    y[::7] = np.round(y[::7])
    r = np.column_stack([stats.rankdata(x[:, i]) for i in range(d)] + [stats.rankdata(y)])
    out = []
    for i in range(d):
        others = np.column_stack([np.ones(n)] + [r[:, k] for k in range(d) if k != i])
        ri = r[:, i] - others @ np.linalg.lstsq(others, r[:, i], rcond=None)[0]
        ry = r[:, d] - others @ np.linalg.lstsq(others, r[:, d], rcond=None)[0]
        out.append(stats.pearsonr(ri, ry)[0])
    return dict(X=x.T.tolist(), y=y.tolist(), prcc=out)


def anova():
    # 3 x 2 x 4 with 5 replications, each point its own luck: mean squares of the
    # balanced three-way analysis of variance, and shares of variance from them.
    la, lb, lc, n = 3, 2, 4, 5
    ea, eb, ec = rng.standard_normal(la), rng.standard_normal(lb), rng.standard_normal(lc)
    eab, ebc = rng.standard_normal((la, lb)), .5 * rng.standard_normal((lb, lc))
    y = (ea[:, None, None, None] + eb[None, :, None, None] + ec[None, None, :, None] + eab[:, :, None, None]
         + ebc[None, :, :, None] + .7 * rng.standard_normal((la, lb, lc, n)))
    cell = y.mean(3)
    M = la * lb * lc
    within = ((y - cell[..., None]) ** 2).sum() / (M * (n - 1))
    g = cell.mean()
    size = [la, lb, lc]

    def marginal(keep):
        return cell.mean(tuple(k for k in range(3) if k not in keep), keepdims=True)

    def component(keep):  # the effect of exactly these factors
        if not keep:
            return np.full((1, 1, 1), g)
        out = marginal(keep)
        for mask in range(2 ** len(keep) - 1):
            out = out - component([k for i, k in enumerate(keep) if mask >> i & 1])
        return out

    def variance(keep):  # freed of luck's bias
        c = np.broadcast_to(component(keep), cell.shape)
        df = np.prod([size[k] - 1 for k in keep])
        return float((c ** 2).mean() - df / M * within / n)

    groups = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]
    v = {tuple(k): variance(k) for k in groups}
    total = sum(v.values()) + within
    return dict(y=y.reshape(M, n).tolist(), sizes=size,
                first=[v[(k,)] / total for k in range(3)],
                total=[sum(v[tuple(s)] for s in groups if k in s) / total for k in range(3)],
                pairs=[v[p] / total for p in [(0, 1), (0, 2), (1, 2)]],
                rest=v[(0, 1, 2)] / total, luck=float(within / total), variance=float(total))


print(json.dumps(dict(sobol=sobol(), prcc=prcc(), anova=anova()), indent=1))
