#!/bin/sh
# Starts redis-server with the users of users.acl and the passwords among the
# secrets.
set -eu
here=$(dirname "$0")
sh "$here/acl.sh" "$here/users.acl" /run/secrets /run/overnight/users.acl
exec redis-server "$here/redis.conf"
