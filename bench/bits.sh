#!/bin/sh
# Runs the golden trainings and the kernels' tests at both ends of what a build
# may be: amd64 at GOAMD64=v1 and v3, and arm64 under qemu. The hashes in the
# tests are the same for all, so passing everywhere means the same bits everywhere.
#
#     bench/bits.sh      needs qemu-aarch64 (Debian: qemu-user-static) off arm64
set -eu
cd "$(dirname "$0")/.."
packages="internal/fp internal/rng agents/bandit agents/guard agents/nn agents/policygradient envs/email envs/marketing jobs/design"
tests='Golden|Canonical|NotebookGradient|Restore|AgainstMath|BoxMuller|NormalsIndependent'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
machine=$(go env GOHOSTARCH)

# run LABEL RUNNER: the packages' tests, built with the environment as it is.
run() {
	for p in $packages; do
		bin=$tmp/$(echo "$p" | tr / -).$1
		go test -c -o "$bin" "./$p"
		if ! (cd "$p" && $2 "$bin" -test.v -test.run "$tests" -test.count 1 >"$tmp/out" 2>&1); then
			cat "$tmp/out" >&2
			echo "bits: $p differs or fails on $1" >&2
			exit 1
		fi
		passed=$(grep -c '^--- PASS' "$tmp/out" || true)
		if [ "$passed" = 0 ]; then
			echo "bits: $p has none of the tests $tests" >&2
			exit 1
		fi
		echo "$1 $p: $passed tests pass"
	done
}

if [ "$machine" = amd64 ]; then
	GOAMD64=v1 run amd64-v1 ""
	if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
		GOAMD64=v3 run amd64-v3 ""
	else
		echo "bits: this processor has no AVX2 and FMA, so GOAMD64=v3 can't be tried here" >&2
		exit 1
	fi
fi
if [ "$machine" = arm64 ]; then
	run arm64 ""
elif qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static); then
	GOARCH=arm64 CGO_ENABLED=0 run arm64 "$qemu"
else
	echo "bits: qemu-aarch64 is missing, so arm64 was not tried; install qemu-user-static" >&2
	exit 1
fi
echo "bits: the same everywhere"
