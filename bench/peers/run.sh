#!/bin/sh
# Sets the notebook's REINFORCE loop in Go against PyTorch and NumPy: rounds of
# each in turns on one core, then medians and ratios. Run it on a quiet machine.
#
#     bench/peers/run.sh [rounds]      PYTHON=/usr/bin/python3 by default
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-5}
python=${PYTHON:-/usr/bin/python3}
if ! "$python" -c 'import torch, numpy' 2>/dev/null; then
	echo "bench/peers/run.sh: $python lacks torch or numpy; see bench/peers/README.md" >&2
	exit 1
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
go test -c -o "$tmp/go.test" ./agents/policygradient
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 GOMAXPROCS=1
pin=""
if command -v taskset >/dev/null; then pin="taskset -c 0"; fi

for round in $(seq "$rounds"); do
	echo "round $round of $rounds" >&2
	$pin "$python" bench/peers/notebook_torch.py --trials 1 --seed "$round"
	$pin "$python" bench/peers/numpy_lockstep.py
	$pin "$tmp/go.test" -test.run '^$' -test.bench 'FaithfulTrial' -test.benchtime 100x |
		awk '/^Benchmark/ {
			split($1, n, "/"); sub(/-[0-9]+$/, "", n[2])
			for (i = 3; i < NF; i += 2) m[$(i + 1)] = $i
			printf "go_%s us_per_episode %.2f us_per_trial %.0f first10 %.0f last10 %.0f\n", n[2], m["us/episode"], m["ns/op"] / 1e3, m["first10"], m["last10"]
		}'
done >"$tmp/lines"

# Medians of times with their ratios, and means of returns.
sort -k1,1 -k3,3n "$tmp/lines" | awk '
	{ n[$1]++; v[$1, n[$1]] = $3; first[$1] += $7; last[$1] += $9 }
	END {
		for (k in n) { h = int((n[k] + 1) / 2); m[k] = n[k] % 2 ? v[k, h] : (v[k, h] + v[k, h + 1]) / 2 }
		printf "%-15s %11s %10s %10s %8s %13s %12s\n", "", "us/episode", "us/trial", "x PyTorch", "x NumPy", "first return", "last return"
		split("notebook_torch numpy_lockstep go_float64 go_float32", order, " ")
		for (i = 1; i <= 4; i++) {
			k = order[i]
			printf "%-15s %11.1f %10.0f %10.1f %8.2f %13.0f %12.0f\n", k, m[k], 100 * m[k], m["notebook_torch"] / m[k], m["numpy_lockstep"] / m[k], first[k] / n[k], last[k] / n[k]
		}
	}'
