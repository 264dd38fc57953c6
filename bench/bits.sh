#!/bin/sh
# Runs the golden trainings and the kernels' tests at both ends of what a build
# may be: amd64 at GOAMD64=v1 and v3, each in plain Go and with every set of vector
# instructions that this machine has, and arm64 under qemu. The hashes in the tests
# are the same for all, so passing everywhere means the same bits everywhere.
#
#     bench/bits.sh      needs qemu-aarch64 (Debian: qemu-user-static) off arm64
set -eu
cd "$(dirname "$0")/.."
packages="internal/fp internal/rng agents/bandit agents/guard agents/nn agents/policygradient envs/email envs/marketing jobs/design"
tests='Golden|Levels|Update|Canonical|NotebookGradient|Restore|AgainstMath|BoxMuller|NormalsIndependent'
vectored="internal/rng agents/nn agents/policygradient envs/marketing" # what vector instructions are used in
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
machine=$(go env GOHOSTARCH)

# build LABEL: the packages' tests, with the environment as it is.
build() {
	for p in $packages; do
		go test -c -o "$tmp/$(echo "$p" | tr / -).$1" "./$p"
	done
}

# run LABEL PACKAGES [RUNNER]: what build made, with the environment as it is.
run() {
	what=$1${OVERNIGHT_SIMD:+ $OVERNIGHT_SIMD}
	for p in $2; do
		bin=$tmp/$(echo "$p" | tr / -).$1
		if ! (cd "$p" && ${3:-} "$bin" -test.v -test.run "$tests" -test.count 1 >"$tmp/out" 2>&1); then
			cat "$tmp/out" >&2
			echo "bits: $p differs or fails on $what" >&2
			exit 1
		fi
		passed=$(grep -c '^--- PASS' "$tmp/out" || true)
		if [ "$passed" = 0 ]; then
			echo "bits: $p has none of the tests $tests" >&2
			exit 1
		fi
		echo "$what $p: $passed tests pass"
	done
}

# levels LABEL: plain Go on all packages, vector instructions where they are used.
levels() {
	build "$1"
	OVERNIGHT_SIMD=off run "$1" "$packages"
	if grep -qw avx2 /proc/cpuinfo; then
		OVERNIGHT_SIMD=avx2 run "$1" "$vectored"
	else
		echo "bits: this processor has no AVX2, so its kernels were not tried" >&2
	fi
	if grep -qw avx512dq /proc/cpuinfo; then
		OVERNIGHT_SIMD=avx512 run "$1" "$vectored"
	else
		echo "bits: this processor has no AVX-512, so its kernels were not tried" >&2
	fi
}

if [ "$machine" = amd64 ]; then
	GOAMD64=v1 levels v1
	if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
		GOAMD64=v3 levels v3
	else
		echo "bits: this processor has no AVX2 and FMA, so GOAMD64=v3 can't be tried here" >&2
		exit 1
	fi
fi
if [ "$machine" = arm64 ]; then
	build arm64
	run arm64 "$packages"
elif qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static); then
	GOARCH=arm64 CGO_ENABLED=0 build arm64
	run arm64 "$packages" "$qemu"
else
	echo "bits: qemu-aarch64 is missing, so arm64 was not tried; install qemu-user-static" >&2
	exit 1
fi
echo "bits: the same everywhere"
