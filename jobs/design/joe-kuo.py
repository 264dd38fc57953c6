"""Writes joe-kuo.txt from the direction numbers that scipy ships: new-joe-kuo-6
of S. Joe and F. Y. Kuo, dimensions 2 to 1000, each line "s a m_1 ... m_s".

Run with Debian's python3-scipy: /usr/bin/python3 joe-kuo.py
"""
import os

import numpy as np
import scipy

path = os.path.join(os.path.dirname(scipy.__file__), "stats", "_sobol_direction_numbers.npz")
with np.load(path) as z, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "joe-kuo.txt"), "w") as f:
    poly, vinit = z["poly"], z["vinit"]
    for j in range(1, 1000):
        p = int(poly[j])
        s = p.bit_length() - 1
        a = (p >> 1) & ((1 << (s - 1)) - 1)
        m = [int(v) for v in vinit[j, :s]]
        assert all(x % 2 == 1 and x < 2 ** (k + 1) for k, x in enumerate(m)), (j, m)
        f.write(" ".join(map(str, [s, a] + m)) + "\n")
