#!/bin/sh
# Sets the notebook's REINFORCE loop in Go against PyTorch and NumPy: rounds of
# each in turns on one core, then medians of CPU times, ratios, and whether the returns
# agree, for which returns.sh plays more trials.
#
#     bench/peers/run.sh [rounds]      PYTHON=/usr/bin/python3 by default
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-5}
modules='torch, numpy'
. bench/peers/common.sh
. bench/peers/reinforce.sh
levels=off
if grep -qw avx2 /proc/cpuinfo; then levels="$levels avx2"; fi
if grep -qw avx512dq /proc/cpuinfo; then levels="$levels avx512"; fi

# Overnight's trials have the same seeds in every round, and the same returns.
for round in $(seq "$rounds"); do
	echo "round $round of $rounds" >&2
	$pin "$python" bench/peers/notebook_torch.py --trials 1 --seed "$round"
	$pin "$python" bench/peers/torch_tuned.py one --seed "$round"
	$pin "$python" bench/peers/torch_tuned.py lockstep --seed "$round"
	$pin "$python" bench/peers/numpy_one.py --seed "$round"
	$pin "$python" bench/peers/numpy_lockstep.py --seed "$round"
	for level in $levels; do
		trials=1000
		if [ "$level" = off ]; then trials=100; fi
		reinforce "$level" "$trials"
	done
done >"$tmp/lines"
"$python" bench/peers/summary.py <"$tmp/lines"
