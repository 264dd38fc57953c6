package redisstore

// Commands returns the commands that a store uses, those inside its scripts too,
// in the form of an access list, without "+". A user of a store needs these, the
// keys "<namespace>:*" and no channels:
//
//	ACL SETUSER overnight on >PASSWORD resetkeys ~overnight:* resetchannels -@all +get +set ...
//
// ConnectionCommands and InspectCommands come to these.
func Commands() []string {
	return []string{
		"get", "set", "getrange", "setrange", "getbit", "setbit", "strlen",
		"hget", "hmget", "hset", "hsetnx", "hdel", "hincrby", "hlen", "hexists", "hkeys", "hvals", "hgetall",
		"sadd", "scard", "smembers",
		"zadd", "zscore", "zrange", "zrevrange", "zrangebyscore", "zrem", "zremrangebyscore",
		"xadd", "xread", "xrevrange",
		"del", "unlink", "exists", "pexpire",
		"eval", "evalsha", "time", "wait",
	}
}

// ConnectionCommands returns what the client itself uses: to connect, and to
// find its way in a cluster. It also tries client|setinfo, which servers before
// 7.2 don't know, and does without.
func ConnectionCommands() []string {
	return []string{"hello", "auth", "ping", "select", "command", "cluster|slots", "cluster|shards", "readonly", "asking"}
}

// InspectCommands returns what Inspect uses where it may.
func InspectCommands() []string { return []string{"info", "config|get"} }
