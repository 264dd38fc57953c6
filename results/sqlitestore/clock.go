package sqlitestore

import (
	"context"
	"time"
)

// Now implements results.Clock.
func (s *Store) Now(context.Context) (time.Time, error) { return s.options.Now(), nil }
