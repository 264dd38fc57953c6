#!/bin/sh
# Hands what secrets.sh made to Kubernetes, as the secrets that the manifests name.
# Run it again after a change: pods see new files within a minute or so.
#
#   deploy/kubernetes.sh [FOLDER] | kubectl apply -f -
set -eu
dir=${1:-$(cd "$(dirname "$0")" && pwd)/secrets}
secret() {
	name=$1
	shift
	printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: overnight\ndata:\n' "$name"
	for file in "$@"; do
		printf '  %s: %s\n' "$file" "$(openssl base64 -A -in "$dir/$file")"
	done
}
secret overnight-redis redis-admin redis-coordinator redis-worker
secret overnight-nats nats-keys.conf
secret overnight-coordinator redis-coordinator nats-coordinator
secret overnight-worker redis-worker nats-worker
secret overnight-api api-tokens api.crt api.key
secret overnight-keys signing.key trusted
secret overnight-trust trusted
