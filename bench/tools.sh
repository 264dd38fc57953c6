#!/bin/sh
# Installs what the tests use beside Go: qemu-user, which runs the arm64 build.
set -eu
command -v qemu-aarch64 >/dev/null 2>&1 && exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
if ! command -v apt-get >/dev/null 2>&1; then
	echo "tools.sh: install qemu-user (qemu-aarch64) with your package manager, then run make test again" >&2
	exit 1
fi
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq qemu-user
