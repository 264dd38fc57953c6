#!/bin/sh
# Writes the ACL file that Redis loads: the rules of users.acl, with the SHA-256
# of each user's passwords added. The passwords of user overnight-NAME are the
# lines of the file redis-NAME in the folder of secrets: more than one while they
# are being changed. A user without such a file can't log in.
#
#   acl.sh RULES SECRETS OUT
set -eu
rules=${1:-/etc/overnight/users.acl}
secrets=${2:-/run/secrets}
out=${3:-/run/overnight/users.acl}
umask 077
while IFS= read -r line; do
	case $line in
	'user overnight-'*)
		name=${line#user overnight-}
		file=$secrets/redis-${name%% *}
		if [ -r "$file" ]; then
			while IFS= read -r password || [ -n "$password" ]; do
				[ -n "$password" ] || continue
				hash=$(printf %s "$password" | sha256sum)
				line="$line #${hash%% *}"
			done <"$file"
		fi
		;;
	esac
	printf '%s\n' "$line"
done <"$rules" >"$out.new"
mv "$out.new" "$out"
