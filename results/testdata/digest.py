"""Computes the digests that tests expect, from the format as results.AppendResult
and results.Digest describe it: in Python, so that the two can't share a mistake.

Run: python3 digest.py
"""
import hashlib
import math
import struct


def f64(x):
    return bytes.fromhex("000000000000f87f") if x != x else struct.pack("<d", x)


def u64(n):
    return struct.pack("<Q", n)


def result(metrics, curves):
    b = u64(len(metrics)) + b"".join(map(f64, metrics)) + u64(len(curves))
    for name, xs, ys in sorted(curves):
        b += u64(len(name)) + name.encode() + u64(len(xs))
        b += b"".join(map(f64, xs)) + b"".join(map(f64, ys))
    return b


def digest(records):
    h = hashlib.sha256(b"overnight digest 1\n")
    for trial, point, replication, status, metrics, curves in records:
        if status in (1, 2):
            h.update(u64(trial) + u64(point) + u64(replication) + bytes([status]) + result(metrics, curves))
    return h.hexdigest()


nan, inf = math.nan, math.inf

# results.TestDigest
print("results:", digest([
    (0, 100, 1, 1, [0.5], []),
    (1, 3, 0, 1, [nan, -0.0, inf, -1.0], [
        ("a", [0.0, 100.0, 2.0**53], [1.0, nan, -inf]),
        ("b", [0.0, 100.0, 2.0**53], [1.0, 2.0, 3.0]),
        ("c", [-0.0, 0.5], [4.0, 5.0]),
        ("d", [], []),
    ]),
    (2, 0, 0, 2, [], []),
]))


# storetest.NewRecord, in the test Digest of storetest
def stored(t):
    odd = [nan, -0.0, inf, -inf, 1.7976931348623157e308, 5e-324, 2.0**53, 2.0**63 - 1024, 0.0, -1.0]
    metrics, curves = [], []
    if t % 11 != 7:
        for i in range(3):
            k = t + 3 * i
            metrics.append(odd[k // 2 % 10] if k % 2 == 0 else t * 0.1 + i)
    if t % 3 == 0:
        curves = [("entropy", [0.5, 1.25], [nan, -0.0]), ("return", [0.0, 10.0, 20.0 + t], [float(t), -inf, 1e-300])]
    return t, t % 4, t // 4, 2 if t % 11 == 7 else 1, metrics, curves


print("storetest:", digest(map(stored, range(20))))
