# What the peers' scripts share, to be sourced. It wants modules, those that Python
# must have, and sets python, tmp (removed at the end) and pin, which keeps a
# program on one core.
python=${PYTHON:-/usr/bin/python3}
if ! "$python" -c "import $modules" 2>/dev/null; then
	echo "$0: $python lacks one of $modules; see bench/peers/README.md" >&2
	exit 1
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 GOMAXPROCS=1
pin=""
if command -v taskset >/dev/null; then pin="taskset -c 0"; fi
