#!/bin/sh
# Sets the notebook's REINFORCE loop in Go against PyTorch and NumPy: rounds of
# each in turns on one core, then medians of CPU times, ratios, and whether the returns agree.
#
#     bench/peers/run.sh [rounds]      PYTHON=/usr/bin/python3 by default
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-5}
modules='torch, numpy'
. bench/peers/common.sh
go test -c -o "$tmp/go.test" ./agents/policygradient
levels=off
if grep -qw avx2 /proc/cpuinfo; then levels="$levels avx2"; fi
if grep -qw avx512dq /proc/cpuinfo; then levels="$levels avx512"; fi

# Overnight's trials have the same seeds in every round, and the same returns.
for round in $(seq "$rounds"); do
	echo "round $round of $rounds" >&2
	$pin "$python" bench/peers/notebook_torch.py --trials 1 --seed "$round"
	$pin "$python" bench/peers/numpy_lockstep.py --seed "$round"
	for level in $levels; do
		trials=1000
		if [ "$level" = off ]; then trials=100; fi
		OVERNIGHT_SIMD=$level $pin "$tmp/go.test" -test.run '^$' -test.bench FaithfulTrial -test.benchtime "${trials}x" |
			awk -v level="$level" '/^Benchmark/ {
				split($1, n, "/"); sub(/-[0-9]+$/, "", n[2])
				for (i = 3; i < NF; i += 2) m[$(i + 1)] = $i
				printf "go_%s_%s us_per_episode %.2f us_per_trial %.0f first10 %.0f last10 %.2f squares %.2f trials %d\n", n[2], level, m["median-us/episode"], 100 * m["median-us/episode"], m["first10"], m["last10"], m["squares"], $2
			}'
	done
done >"$tmp/lines"
"$python" bench/peers/summary.py <"$tmp/lines"
