# reinforce plays trials of Overnight's notebook loop, to be sourced after common.sh.
go test -c -o "$tmp/go.test" ./agents/policygradient

# reinforce LEVEL TRIALS prints a line for each precision.
reinforce() {
	OVERNIGHT_SIMD=$1 $pin "$tmp/go.test" -test.run '^$' -test.bench FaithfulTrial -test.benchtime "${2}x" |
		awk -v level="$1" '/^Benchmark/ {
			split($1, n, "/"); sub(/-[0-9]+$/, "", n[2])
			for (i = 3; i < NF; i += 2) m[$(i + 1)] = $i
			printf "go_%s%s us_per_episode %.2f us_per_trial %.0f first10 %.0f last10 %.2f squares %.2f trials %d\n", n[2], level ? "_" level : "", m["median-us/episode"], 100 * m["median-us/episode"], m["first10"], m["last10"], m["squares"], $2
		}'
}
