#!/bin/sh
# Makes what the deployments keep secret, in deploy/secrets, which git ignores:
# passwords for Redis, nkeys for NATS, the key pair that signs jobs, tokens and a
# certificate for the API. What is there already stays: remove a file to have it
# made anew. Needs openssl, and Go or docker for the nkeys.
#
# It also writes deploy/.env, for compose.yaml.
#
#   deploy/secrets.sh [FOLDER [ENV]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here/secrets}
env=${2:-$here/.env}
umask 077
mkdir -p "$dir"

nk() {
	if command -v go >/dev/null 2>&1; then
		(cd "$here/.." && go run github.com/nats-io/nkeys/nk "$@")
	else
		docker run --rm -i -v "$here/..:/src:ro" -w /src golang:1.26 go run github.com/nats-io/nkeys/nk "$@"
	fi
}

for name in redis-admin redis-coordinator redis-worker grafana-admin; do
	[ -s "$dir/$name" ] || openssl rand -hex 32 >"$dir/$name"
done

for name in coordinator worker; do
	[ -s "$dir/nats-$name" ] || nk -gen user >"$dir/nats-$name"
done
if [ ! -s "$dir/nats-keys.conf" ]; then
	for name in coordinator worker; do
		printf '%s = "%s"\n' "$(printf %s "$name" | tr a-z A-Z)" "$(nk -inkey /dev/stdin -pubout <"$dir/nats-$name")"
	done >"$dir/nats-keys.conf"
fi

sh "$here/keys.sh" "$dir"

# The tokens themselves are for people; the service reads their sums.
for role in view submit admin; do
	[ -s "$dir/api-token-$role" ] || openssl rand -hex 32 >"$dir/api-token-$role"
done
if [ ! -s "$dir/api-tokens" ]; then
	for role in view submit admin; do
		sum=$(tr -d '\n' <"$dir/api-token-$role" | openssl dgst -sha256 -r)
		printf '%s %s api-token-%s\n' "$role" "${sum%% *}" "$role"
	done >"$dir/api-tokens"
fi
if [ ! -s "$dir/api.crt" ] || [ ! -s "$dir/api.key" ]; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=overnight \
		-addext 'subjectAltName=DNS:localhost,DNS:coordinator,DNS:overnight-coordinator,IP:127.0.0.1' \
		-keyout "$dir/api.key" -out "$dir/api.crt" 2>/dev/null
fi

# Containers run as whoever may read these files, and as root never.
as=$(id -u):$(id -g)
if [ "${as%%:*}" = 0 ]; then
	as=65532:65532
	chown -R "$as" "$dir"
fi
[ -s "$env" ] || printf 'COMPOSE_PROFILES=asynq\nRUN_AS=%s\n' "$as" >"$env"
