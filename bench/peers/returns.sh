#!/bin/sh
# Holds the returns of Overnight's notebook loop against NumPy's over many trials,
# by two one-sided tests. It takes about two minutes.
#
#     bench/peers/returns.sh [thousands of trials]
set -eu
cd "$(dirname "$0")/../.."
thousands=${1:-10}
modules=numpy
. bench/peers/common.sh
. bench/peers/reinforce.sh
{
	for seed in $(seq $((thousands * 1000 / 256 + 1))); do
		$pin "$python" bench/peers/numpy_lockstep.py --seed "$((100 + seed))"
	done
	reinforce "" "$((thousands * 1000))"
} >"$tmp/lines"
"$python" bench/peers/summary.py <"$tmp/lines"
