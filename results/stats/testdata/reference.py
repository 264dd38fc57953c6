"""Makes reference.json: inputs and what scipy says of them.

    /usr/bin/python3 reference.py > reference.json

Made with scipy 1.10.1 and NumPy 1.24.2 (Debian 12). What scipy has no function
for is written out from its definition: enumeration of all outcomes, statsmodels'
formulas for Holm and Benjamini-Hochberg, rliable's for scores.
"""
import itertools
import json
import sys

import numpy as np
from scipy import integrate, optimize, stats

rs = np.random.RandomState(20240607)
out = {}


def two(low, high):
    return min(1.0, 2 * min(low, high))


def pair(n, m, shift=0.0, places=3, skew=False):
    x, y = rs.randn(n) + shift, 1.5 * rs.randn(m)
    if skew:
        x, y = np.exp(x), np.exp(y)
    return np.round(x, places), np.round(y, places)


# --- two samples -----------------------------------------------------------
out["welch"] = []
for n, m, shift in [(2, 2, 0), (5, 5, 1), (10, 7, .5), (30, 30, .4), (12, 200, 3)]:
    x, y = pair(n, m, shift)
    s, p = stats.ttest_ind(x, y, equal_var=False)
    out["welch"].append(dict(x=list(x), y=list(y), statistic=s, p=p))

out["paired_t"] = []
for n, shift in [(2, 0), (5, 1), (10, .5), (30, 2), (200, .1)]:
    x, y = pair(n, n, shift)
    s, p = stats.ttest_rel(x, y)
    out["paired_t"].append(dict(x=list(x), y=list(y), statistic=s, p=p))

out["rank_sum"] = []
for n, m, shift in [(1, 5, 1), (4, 4, 4), (5, 5, 1), (8, 9, .5), (25, 25, .4)]:
    x, y = pair(n, m, shift, places=9)
    r = stats.mannwhitneyu(x, y, method="exact")
    out["rank_sum"].append(dict(x=list(x), y=list(y), statistic=r.statistic, p=r.pvalue, how="exact"))
for n, m, places in [(6, 7, 0), (5, 5, 0), (3, 9, 0)]:  # ties: all splits of the midranks
    x, y = pair(n, m, .5, places)
    ranks = stats.rankdata(np.concatenate([x, y]))
    seen = ranks[:n].sum()
    sums = np.array([ranks[list(c)].sum() for c in itertools.combinations(range(n + m), n)])
    p = two((sums <= seen + 1e-9).mean(), (sums >= seen - 1e-9).mean())
    out["rank_sum"].append(dict(x=list(x), y=list(y), statistic=seen - n * (n + 1) / 2, p=p, how="all splits"))
for n, m, places in [(26, 25, 9), (40, 45, 1), (60, 5, 0), (300, 200, 1)]:
    x, y = pair(n, m, .3, places)
    r = stats.mannwhitneyu(x, y, method="asymptotic")
    out["rank_sum"].append(dict(x=list(x), y=list(y), statistic=r.statistic, p=r.pvalue, how="asymptotic"))

out["signed_rank"] = []
for n, shift in [(1, 0), (5, 4), (6, 4), (10, .5), (30, .4), (50, .2)]:
    x, y = pair(n, n, shift, places=9)
    r = stats.wilcoxon(x - y, mode="exact")
    up = stats.wilcoxon(x - y, mode="exact", alternative="greater")
    out["signed_rank"].append(dict(x=list(x), y=list(y), statistic=up.statistic, p=r.pvalue, how="exact"))
for n in [6, 10, 12]:  # ties and zeros: all signs of the midranks
    x, y = pair(n, n, .7, 0)
    d = (x - y)[x != y]
    ranks = stats.rankdata(np.abs(d))
    seen = ranks[d > 0].sum()
    sums = np.array([ranks[np.array(c, bool)].sum() for c in itertools.product([0, 1], repeat=len(d))])
    p = two((sums <= seen + 1e-9).mean(), (sums >= seen - 1e-9).mean())
    out["signed_rank"].append(dict(x=list(x), y=list(y), statistic=seen, p=p, how="all signs"))
for n, places in [(51, 9), (80, 1), (400, 0)]:
    x, y = pair(n, n, .2, places)
    r = stats.wilcoxon(x - y, mode="approx", correction=True)
    up = stats.wilcoxon(x - y, mode="approx", correction=True, alternative="greater")
    out["signed_rank"].append(dict(x=list(x), y=list(y), statistic=up.statistic, p=r.pvalue, how="approx"))


def mean_of(x, axis):
    return np.mean(x, axis=axis)


def difference(x, y, axis):
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


out["sign_flip"] = []
for n, places in [(2, 3), (5, 3), (6, 0), (10, 1), (12, 3)]:
    x, y = pair(n, n, 1, places)
    r = stats.permutation_test((x - y,), mean_of, permutation_type="samples", vectorized=True, n_resamples=np.inf)
    out["sign_flip"].append(dict(x=list(x), y=list(y), statistic=r.statistic, p=r.pvalue))
out["split"] = []
for n, m, places in [(2, 3, 3), (4, 4, 3), (5, 7, 0), (6, 7, 1), (8, 8, 3)]:
    x, y = pair(n, m, 1, places)
    r = stats.permutation_test((x, y), difference, permutation_type="independent", vectorized=True, n_resamples=np.inf)
    out["split"].append(dict(x=list(x), y=list(y), statistic=r.statistic, p=r.pvalue))

# --- families: statsmodels.stats.multitest.multipletests, written out ---------
out["families"] = []
for p in [[.01, .04, .03], [.001, .5, .02, .02, .9, .04], list(np.round(rs.rand(20) ** 3, 4))]:
    p = np.array(p)
    order, m = np.argsort(p, kind="stable"), len(p)
    s = p[order]
    holm, bh = np.empty(m), np.empty(m)
    holm[order] = np.minimum(np.maximum.accumulate(s * np.arange(m, 0, -1)), 1)
    bh[order] = np.minimum(np.minimum.accumulate((s / (np.arange(1, m + 1) / m))[::-1])[::-1], 1)
    out["families"].append(dict(p=list(p), holm=list(holm), bh=list(bh)))

# --- rliable's definitions (scores: runs by tasks there, tasks by runs here) --
out["scores"] = []
for tasks, nx, ny, places in [(1, 8, 8, 3), (4, 10, 12, 1), (6, 20, 10, 2)]:
    x = np.round(rs.randn(nx, tasks) + np.arange(tasks) / 2, places)
    y = np.round(rs.randn(ny, tasks) + np.arange(tasks) / 2 - .3, places)
    taus = list(np.round(np.linspace(-1.5, 3, 10), 2))
    out["scores"].append(dict(
        x=x.T.tolist(), y=y.T.tolist(), taus=taus,
        iqm=stats.trim_mean(x, proportiontocut=.25, axis=None),
        gap=1 - np.mean(np.minimum(x, 1)),
        profile=[float(np.mean(np.mean(x > t, axis=1))) for t in taus],
        improvement=np.mean([stats.mannwhitneyu(x[:, t], y[:, t], alternative="greater").statistic
                             / (nx * ny) for t in range(tasks)]),
        wins=np.mean([(x[:min(nx, ny)] > y[:min(nx, ny)]) + .5 * (x[:min(nx, ny)] == y[:min(nx, ny)])]),
    ))

# --- intervals ---------------------------------------------------------------
out["wilson"] = []
for k, n in [(0, 10), (3, 10), (10, 10), (57, 80)]:
    i = stats.binomtest(k, n).proportion_ci(method="wilson")
    out["wilson"].append(dict(k=k, n=n, low=i.low, high=i.high))


def confidence(k, n, share):
    """Of mean -+ k sd, as the expectation over the mean."""
    def given(z):
        r = np.sqrt(stats.ncx2.ppf(share, 1, z * z)) if z > 1e-6 else stats.norm.ppf((1 + share) / 2)
        return 2 * stats.norm.pdf(z, scale=1 / np.sqrt(n)) * stats.chi2.sf((n - 1) * r * r / k / k, n - 1)
    return integrate.quad(given, 0, 9 / np.sqrt(n), epsabs=1e-12)[0]


out["tolerance_factor"] = []
for n, share, level in [(2, .9, .95), (5, .9, .95), (10, .9, .95), (30, .95, .99), (200, .9, .95)]:
    k = optimize.brentq(lambda k: confidence(k, n, share) - level, .5, 200, xtol=1e-12)
    out["tolerance_factor"].append(dict(n=n, share=share, level=level, k=k))
out["tolerance"] = []
for n, share, level in [(45, .9, .95), (46, .9, .95), (60, .8, .95), (200, .9, .95), (93, .95, .95), (500, .5, .9)]:
    # r-th lowest to r-th highest, and what the whole range holds.
    good = [r for r in range(1, n // 2) if stats.beta.sf(share, n + 1 - 2 * r, 2 * r) >= level]
    out["tolerance"].append(dict(n=n, share=share, level=level, r=max(good, default=0),
                                 range=stats.beta.ppf(1 - level, n - 1, 2)))

# Of the live interval: the likelihood of n runs with mean t/sqrt(n) and standard
# deviation 1, averaged over mean = delta sigma with delta normal (prior tuned as
# in live.go), over that of mean 0, sigma having the density 1/sigma in both. At
# the bounds it must be 1/alpha.
out["live"] = []
ls = np.linspace(-6, 12, 2001)[:, None]  # log sigma
delta = np.linspace(-40, 40, 16001)[None, :]
for n, alpha in [(6, .05), (10, .05), (30, .05), (30, .1), (100, .01)]:
    l = -2 * np.log(alpha)
    g = (l + np.log(l) + 1) / 10

    def log_likelihood(m, d):
        return -n * ls - (n - 1 + n * (m - d * np.exp(ls)) ** 2) / (2 * np.exp(2 * ls))

    def factor(m):
        top = np.exp(log_likelihood(m, delta)) * stats.norm.pdf(delta, scale=np.sqrt(g))
        top = top.sum() * (delta[0, 1] - delta[0, 0])
        return top / np.exp(log_likelihood(m, 0.)).sum()
    half = optimize.brentq(lambda m: np.log(factor(m) * alpha), .2, 20, xtol=1e-9)
    out["live"].append(dict(n=n, alpha=alpha, half=half))  # in standard deviations



def jackknife(x, y, theta):
    """t interval of the pseudo-values about the statistic."""
    n = len(x)
    p = [n * theta(x, y) - (n - 1) * theta(np.delete(x, i), np.delete(y, i)) for i in range(n)]
    half = stats.t.ppf(.975, n - 1) * np.std(p, ddof=1) / np.sqrt(n)
    return theta(x, y) - half, theta(x, y) + half


out["noise"] = []
for n, rho in [(5, .5), (12, .9), (40, -.3)]:
    c = rs.randn(n)
    x = np.round(rho * c + rs.randn(n), 3)
    y = np.round(2 * c + .5 * rs.randn(n), 3)
    z = jackknife(x, y, lambda x, y: np.arctanh(stats.pearsonr(x, y)[0]))
    f = jackknife(x, y, lambda x, y: np.log((x.var() + y.var()) / (x - y).var()))
    out["noise"].append(dict(x=list(x), y=list(y), r=stats.pearsonr(x, y)[0], r_low=np.tanh(z[0]), r_high=np.tanh(z[1]),
                             factor=(x.var() + y.var()) / (x - y).var(), low=np.exp(f[0]), high=np.exp(f[1])))

out["times"] = []
for n, late in [(5, 0), (6, 1), (11, 3), (30, 10), (9, 6)]:
    t = list(np.round(rs.exponential(100, n - late), 1)) + [None] * late
    s = np.sort([np.inf if v is None else v for v in t])
    k = max([k for k in range(n // 2 + 1) if stats.binom.cdf(k - 1, n, .5) <= .025])
    median = s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2
    out["times"].append(dict(times=t, k=k, median=None if np.isinf(median) else median))

# Three runs in two replications, the last two of one, on the grid of the first.
grid = np.arange(0, 101, 10.)
runs = []
for rep, xs in [(0, grid), (1, np.arange(0, 101, 4.)), (1, np.array([0, 33., 70., 100.]))]:
    runs.append((rep, xs, np.round(rs.randn(len(xs)).cumsum(), 3)))
on = [np.interp(grid, x, y) for _, x, y in runs]
reps = np.array([on[0], (on[1] + on[2]) / 2])
half = stats.t.ppf(.975, 1) * reps.std(axis=0, ddof=1) / np.sqrt(2)
out["curves"] = dict(runs=[dict(rep=r, x=list(x), y=list(y)) for r, x, y in runs], grid=list(grid),
                     mean=list(reps.mean(axis=0)), low=list(reps.mean(axis=0) - half), high=list(reps.mean(axis=0) + half),
                     area=[np.trapz(y, grid) / 100 for y in reps])


class Encoder(json.JSONEncoder):
    def default(self, o):
        return o.item()


json.dump(out, sys.stdout, cls=Encoder, allow_nan=False)
print()
