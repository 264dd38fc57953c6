#!/bin/sh
# Installs what the tests use beside Go, from Debian's packages: qemu-user, which
# runs the arm64 build, and redis-server and openssl for the tests of the cluster.
# Tests start their own servers on ports of their own.
# tools.sh chromium installs what `make browser` uses as well.
set -eu
missing=
[ "${1-}" != chromium ] || command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v qemu-aarch64 >/dev/null 2>&1 || missing="$missing qemu-user"
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
[ -n "$missing" ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
if ! command -v apt-get >/dev/null 2>&1; then
	echo "tools.sh: install$missing with your package manager, then run make test again" >&2
	exit 1
fi
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq $missing
