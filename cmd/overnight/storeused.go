package main

import (
	"context"

	"overnight/results"
)

// storeUsed tells which part of its room a store has filled: of the memory that a
// Redis may use, or of the disk that a folder is on.
func storeUsed(a *app, s results.Store) func(ctx context.Context) (float64, bool) {
	if i, ok := s.(inspector); ok {
		return func(ctx context.Context) (float64, bool) {
			r, err := i.Inspect(ctx)
			if err != nil {
				return 0, false
			}
			most, known := 0.0, false // the fullest node's
			for _, n := range r.Nodes {
				if n.MaxMemory > 0 && n.UsedMemory >= 0 {
					most, known = max(most, float64(n.UsedMemory)/float64(n.MaxMemory)), true
				}
			}
			return most, known
		}
	}
	return func(context.Context) (float64, bool) {
		free, all, err := diskBytes(a.store)
		if err != nil || all == 0 {
			return 0, false
		}
		return 1 - float64(free)/float64(all), true
	}
}
