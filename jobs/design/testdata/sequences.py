"""Writes sequences.json: unscrambled Sobol and Halton points by scipy.

Sobol: rows in the order of Gray codes, coordinates times 2^32. Halton: doubles.
Run with Debian's python3-scipy: /usr/bin/python3 sequences.py
"""
import json
import os

import numpy as np
import scipy
from scipy.stats import qmc

few = 9
sobol = qmc.Sobol(d=1000, scramble=False, bits=32).random(2**12)
columns = sorted({*range(few), *range(few, 1000, 45), 998, 999})
powers = [2**k for k in range(12)]
halton = qmc.Halton(d=few, scramble=False).random(50)
late = qmc.Halton(d=few, scramble=False).fast_forward(123456).random(5)

def whole(x):
    y = x * 2.0**32
    assert np.all(y == np.floor(y))
    return y.astype(np.int64).tolist()

out = {
    "scipy": scipy.__version__,
    "sobol_first": whole(sobol[:64, :few]),
    "sobol_columns": columns,
    "sobol_rows": powers,
    "sobol_values": whole(sobol[np.ix_(powers, columns)]),
    "halton_first": halton.tolist(),
    "halton_from": 123456,
    "halton_late": late.tolist(),
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sequences.json")
with open(path, "w") as f:
    f.write("{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in out.items()) + "\n}\n")
