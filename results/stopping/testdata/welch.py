"""Intervals of differences of means, for TestDifference: python3 welch.py"""
import numpy as np
from scipy import stats

x = np.array([1.1, 2.3, 0.7, 3.1, 2.2])
y = np.array([0.2, 0.9, 1.4, 0.1, 0.3])
vx, vy = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
df = (vx + vy) ** 2 / (vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1))
# The same degrees of freedom as scipy's Welch test: its P follows from them.
t, p = stats.ttest_ind(x, y, equal_var=False)
assert abs(2 * stats.t.sf(abs(t), df) - p) < 1e-12
print("welch", repr(stats.t.ppf(0.975, df) * np.sqrt(vx + vy)))
d = x - y
print("paired", repr(stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))))
