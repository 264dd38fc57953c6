#!/bin/sh
# Sets the updates of PPO and DQN on package nn's batch kernels against PyTorch:
# rounds of each in turns on one core, then medians of CPU times and ratios.
#
#     bench/peers/updates.sh [rounds]      PYTHON=/usr/bin/python3 by default
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-5}
modules='torch, numpy'
. bench/peers/common.sh
go test -c -o "$tmp/go.test" ./agents/nn

for round in $(seq "$rounds"); do
	echo "round $round of $rounds" >&2
	$pin "$python" bench/peers/updates_torch.py --rounds 3
	$pin "$tmp/go.test" -test.run '^$' -test.bench Update -test.benchtime 9x | awk '/^Benchmark/ {
		split($1, n, "/"); sub(/-[0-9]+$/, "", n[3])
		for (i = 3; i < NF; i += 2) if ($(i + 1) == "median-us") printf "go_%s_%s us %.1f\n", n[2], n[3], $i
	}'
done >"$tmp/lines"

sort -k1,1 -k3,3n "$tmp/lines" | awk '
	{ n[$1]++; v[$1, n[$1]] = $3 }
	END {
		for (k in n) { h = int((n[k] + 1) / 2); m[k] = n[k] % 2 ? v[k, h] : (v[k, h] + v[k, h + 1]) / 2 }
		printf "%-16s %12s %10s %12s %10s\n", "", "us/update", "x PyTorch", "least", "x PyTorch"
		c = split("torch_ppo go_ppo_off go_ppo_avx2 go_ppo_avx512 torch_dqn go_dqn_off go_dqn_avx2 go_dqn_avx512", order, " ")
		for (i = 1; i <= c; i++) {
			k = order[i]
			if (k in m) { split(k, w, "_"); t = "torch_" w[2]; printf "%-16s %12.1f %10.2f %12.1f %10.2f\n", k, m[k], m[t] / m[k], v[k, 1], v[t, 1] / v[k, 1] }
		}
	}'
