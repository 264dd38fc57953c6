package redisstore

// Boardless makes a store that keeps no leaderboard, for servers without binary
// numbers in Lua.
func (s *Store) Boardless() { s.boardless = true }
