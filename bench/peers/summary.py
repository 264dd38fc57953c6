"""Medians of times and of each round's ratios, and the agreement of returns, of the lines that run.sh and returns.sh gather.

The returns of the last ten training episodes are held against Overnight's by two
one-sided tests (Schuirmann 1987; normal approximation, trials are independent):
they are equivalent where the difference of the means is shown, at 5 %, to be within
a margin on both sides, and different where it is shown to be beyond it. Of fewer than
FEW trials nothing is said: their own spread is not known.
"""

import math
import statistics
import sys
from collections import defaultdict

MARGIN = 0.02  # of Overnight's mean
FEW = 30


def mean_error(n, mean, squares):
    return mean, math.sqrt(max(0.0, squares - n * mean * mean) / (n - 1) / n) if n >= FEW else math.inf


def main():
    rounds = defaultdict(list)
    for line in sys.stdin:
        name, *words = line.split()
        rounds[name].append(dict(zip(words[::2], map(float, words[1::2]))))
    peers = [k for k in ("notebook_torch", "torch_one", "torch_lockstep", "numpy_one", "numpy_lockstep") if k in rounds]
    order = peers + sorted(k for k in rounds if k.startswith("go_"))
    times = {k: statistics.median(r["us_per_episode"] for r in rounds[k]) for k in order}
    least = {k: min(r["us_per_episode"] for r in rounds[k]) for k in order}
    # A round's programs run within seconds of each other, so its ratios hold what
    # other load does to the machine better than ratios of medians.
    def ratio(a, b):
        if a not in peers:
            return math.nan, math.nan
        return least[a] / least[b], statistics.median(x["us_per_episode"] / y["us_per_episode"] for x, y in zip(rounds[a], rounds[b]))
    print(f"{'':20} {'us/episode':>11} {'least':>9} {'x PyTorch':>10} {'least':>7} {'x NumPy':>8} {'least':>6} {'first return':>13} {'last return':>12}")
    returns = {}
    for k in order:
        pool = rounds[k] if not k.startswith("go_") else rounds[k][:1]  # Overnight's rounds are the same trials
        n = sum(r["trials"] for r in pool)
        mean = sum(r["last10"] * r["trials"] for r in pool) / n
        returns[k] = (n, *mean_error(n, mean, sum(r["squares"] for r in pool)))
        first = sum(r["first10"] * r["trials"] for r in pool) / n
        (torch_least, torch), (numpy_least, numpy) = ratio("notebook_torch", k), ratio("numpy_lockstep", k)
        print(f"{k:20} {times[k]:11.2f} {least[k]:9.2f} {torch:10.1f} {torch_least:7.1f} {numpy:8.2f} {numpy_least:6.2f} {first:13.0f} {mean:12.0f}")
    ours = max((k for k in order if k.startswith("go_float32")), key=lambda k: returns[k][0])
    n, mean, error = returns[ours]
    margin = MARGIN * mean
    for k in peers:
        m, other, its = returns[k]
        sd = math.hypot(error, its)
        gap = mean - other
        p = 1.0 if math.isinf(sd) else 0.5 * math.erfc((margin - abs(gap)) / sd / math.sqrt(2))
        verdict = "equivalent" if p < 0.05 else "different" if abs(gap) - margin > 1.645 * sd else "not shown, more trials are needed"
        print(f"last return, Overnight ({n:.0f} trials) less {k} ({m:.0f}): {gap:+.1f} +- {sd:.1f}, within {margin:.0f} (2 %): p = {p:.2g}, {verdict}")


if __name__ == "__main__":
    main()
