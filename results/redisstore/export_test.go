package redisstore

import (
	"context"
	"time"
)

// Boardless makes a store that keeps no leaderboard, for servers without binary
// numbers in Lua.
func (s *Store) Boardless() { s.boardless = true }

// DropOnly removes a study's plan and leaves the rest, as a Delete that is killed
// then does.
func (s *Store) DropOnly(ctx context.Context, study string) error {
	_, err := s.drop(ctx, study)
	return err
}

// EnterOnly lists a study without a plan, as a Create that is killed then does.
func (s *Store) EnterOnly(ctx context.Context, study string) error { return s.enter(ctx, study) }

// KeepNothing makes the store forget at once what it keeps for a while.
func (s *Store) KeepNothing() {
	s.keep = keepTimes{removed: time.Millisecond, events: time.Millisecond}
}
