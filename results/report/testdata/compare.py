"""Writes compare.json: what scipy makes of two arms at two points with 8 replications.

Run with Debian's python3-scipy: /usr/bin/python3 compare.py > compare.json
"""
import itertools
import json

import numpy as np
from scipy import stats

rng = np.random.default_rng(4)
noise = rng.exponential(1.0, 8)
x = [noise + 0.35 + 0.3 * rng.normal(size=8) + p for p in (0.0, 2.0)]
y = [noise + 0.3 * rng.normal(size=8) + p for p in (0.0, 2.0)]
x, y = np.round(np.array(x), 3), np.round(np.array(y), 3)

out = {"x": x.tolist(), "y": y.tolist()}
d = (x - y).mean(axis=0)
n = len(d)
t = stats.t.interval(0.95, n - 1, loc=d.mean(), scale=stats.sem(d))
out["difference"] = {"value": d.mean(), "low": t[0], "high": t[1]}
out["t_p"] = stats.ttest_1samp(d, 0).pvalue
out["flip_p"] = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
out["improvement"] = float(np.mean([stats.mannwhitneyu(a, b).statistic / (n * n) for a, b in zip(x, y)]))
out["wins"] = float(np.mean((x > y) + 0.5 * (x == y)))
a, b = x.mean(axis=0), y.mean(axis=0)
out["correlation"] = float(np.corrcoef(a, b)[0, 1])
out["reduction"] = float((a.var(ddof=1) + b.var(ddof=1)) / (a - b).var(ddof=1))

# The difference of the pooled IQM (16 runs a side: scipy's trim_mean is exact) and of
# the pooled median over all 2^8 exchanges of whole replications: twice the smaller tail.
for name, f in (("iqm", lambda v: stats.trim_mean(v, 0.25)), ("median", np.median)):
    seen = f(x.ravel()) - f(y.ravel())
    all_ = []
    for flips in itertools.product((False, True), repeat=n):
        flips = np.array(flips)
        u, v = np.where(flips, y, x), np.where(flips, x, y)
        all_.append(f(u.ravel()) - f(v.ravel()))
    all_ = np.array(all_)
    low, high = np.mean(all_ <= seen + 1e-9), np.mean(all_ >= seen - 1e-9)
    out[name] = {"difference": seen, "p": min(1.0, 2 * min(low, high))}

# Unpaired, one point: all ways to split 16 runs.
out["split_p"] = stats.permutation_test((x[0], y[0]), lambda u, v: u.mean() - v.mean(), n_resamples=np.inf).pvalue
print(json.dumps(out, indent=1))
