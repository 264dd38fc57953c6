#!/bin/sh
# Sets bandit policies on five subject lines against NumPy: the plain loop, and
# many runs in lockstep. Rounds of each in turns on one core; medians of CPU time
# a send, environment and metrics included, with ratios; then the mean regrets,
# which have to agree.
#
#     bench/peers/bandits.sh [rounds]      PYTHON=/usr/bin/python3 by default
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-5}
policies=${POLICIES:-uniform,epsilon_greedy,softmax,ucb1,kl_ucb,thompson}
modules='numpy'
. bench/peers/common.sh
go build -o "$tmp/overnight" ./cmd/overnight

for round in $(seq "$rounds"); do
	echo "round $round of $rounds" >&2
	for policy in $(echo "$policies" | tr , ' '); do
		$pin "$python" bench/peers/numpy_bandits.py loop --seconds 1 --seed "$round" --policies "$policy"
		$pin "$tmp/overnight" bench --policies="$policy" --rounds 9 | awk -v seed="$round" 'NR > 2 {
			sub(/,/, "", $8)
			n = $9; se = $8 * $8 * (n - 1); mean = $6 # the same worlds each round
			printf "overnight %s us_per_send %.5f runs %d sum %.6f squares %.6f\n", $1, $5 / 1e3, n, mean * n, (se + mean * mean) * n
		}'
		$pin "$python" bench/peers/numpy_bandits.py lockstep --seed "$round" --policies "$policy"
	done
done >"$tmp/lines"

# Medians of times. Regrets are pooled over rounds, whose seeds differ; Overnight
# plays the same worlds each round, so its round of most runs counts.
sort -k1,2 -k4,4n "$tmp/lines" | awk -v policies="$policies" '
	{
		k = $1 " " $2
		times[k, ++rounds[k]] = $4
		if ($1 != "overnight") { n[k] += $6; sum[k] += $8; squares[k] += $10 }
		else if ($6 > n[k]) { n[k] = $6; sum[k] = $8; squares[k] = $10 }
	}
	function median(k,   h) { h = int((rounds[k] + 1) / 2); return rounds[k] % 2 ? times[k, h] : (times[k, h] + times[k, h + 1]) / 2 }
	function mean(k) { return sum[k] / n[k] }
	function se(k) { return n[k] > 1 ? sqrt((squares[k] / n[k] - mean(k) ^ 2) / (n[k] - 1)) : 0 }
	END {
		count = split(policies, list, ",")
		printf "%-16s %10s %10s %10s %9s %9s\n", "us a send", "loop", "lockstep", "overnight", "x loop", "x lockst."
		for (i = 1; i <= count; i++) {
			p = list[i]; a = median("loop " p); b = median("lockstep " p); c = median("overnight " p)
			printf "%-16s %10.2f %10.3f %10.4f %9.0f %9.1f\n", p, a, b, c, a / c, b / c
		}
		printf "\n%-16s %19s %19s %19s %12s\n", "regret", "loop", "lockstep", "overnight", "difference"
		for (i = 1; i <= count; i++) {
			p = list[i]; l = "lockstep " p; o = "overnight " p; d = "loop " p
			apart = (mean(o) - mean(l)) / sqrt(se(o) ^ 2 + se(l) ^ 2)
			printf "%-16s %10.1f +- %5.1f %10.1f +- %5.1f %10.1f +- %5.1f %+8.1f s.e.\n", p, mean(d), se(d), mean(l), se(l), mean(o), se(o), apart
		}
	}'
