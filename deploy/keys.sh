#!/bin/sh
# Makes the key pair that signs jobs, in a folder: signing.key, for coordinators
# alone, and trusted, for workers too. What is there already stays. Needs openssl.
#
#   keys.sh FOLDER [COMMENT]
set -eu
dir=$1
comment=${2:-coordinator}
umask 077
mkdir -p "$dir"
if [ ! -s "$dir/signing.key" ]; then
	openssl genpkey -algorithm ed25519 -out "$dir/signing.key.new"
	mv "$dir/signing.key.new" "$dir/signing.key"
fi
if [ ! -s "$dir/trusted" ]; then
	public=$(openssl pkey -in "$dir/signing.key" -pubout -outform DER | tail -c 32 | openssl base64 -A)
	printf 'ed25519 %s %s\n' "$public" "$comment" >"$dir/trusted"
fi
