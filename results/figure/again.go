package figure

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"overnight/envs"
	"overnight/results/report"
)

// How much is played again: of an arm so many trials day by day with so many
// episodes of each, or so many learning runs send by send, fewer where all of them
// together have more than maxSends sends.
const (
	replayedDays     = 3
	replayedEpisodes = 10
	replayedSends    = 20
	maxSends         = 8_000_000
)

// Again plays trials again, since logs are not stored, and shows them: send by
// send (Sends) on tasks where an agent learns online which of several actions
// converts, day by day (Days) on others. No trial is played for both.
func Again(ctx context.Context, m *report.Model, play Play) (sends, days []Figure, err error) {
	horizons, err := sending(ctx, m, play)
	if err != nil {
		return nil, nil, err
	}
	chosen := Choose(m, replayedDays)
	if len(horizons) > 0 {
		sum := 0
		for _, c := range chosen {
			sum += horizons[c.Task]
		}
		runs := min(replayedSends, max(replayedDays, maxSends/sum))
		of := slices.DeleteFunc(Choose(m, runs), func(c Chosen) bool { return horizons[c.Task] == 0 })
		if sends, err = Sends(ctx, m, of, play); err != nil {
			return nil, nil, err
		}
		chosen = slices.DeleteFunc(chosen, func(c Chosen) bool { return horizons[c.Task] > 0 })
	}
	days, err = Days(ctx, m, chosen, play, replayedEpisodes)
	return sends, days, err
}

// sending returns the horizons, in sends, of the tasks that are shown send by send.
// To learn them nothing is played: a study that is online trains nobody before its
// one run.
func sending(ctx context.Context, m *report.Model, play Play) (map[int]int, error) {
	if !m.Study.Evaluate.Online {
		return nil, nil
	}
	horizons := map[int]int{}
	seen := map[int]bool{}
	enough := errors.New("the spec is all that is asked for")
	for _, c := range Choose(m, 1) {
		if seen[c.Task] {
			continue
		}
		seen[c.Task] = true
		err := play(ctx, c.Trials[0], Wanted{Episodes: 1}, func(s *envs.Spec) error {
			if sendsOf(s) != nil {
				horizons[c.Task] = s.Horizon
			}
			return enough
		}, func(Step) error { return enough })
		if err != nil && !errors.Is(err, enough) {
			return nil, fmt.Errorf("replay trial %d: %w", c.Trials[0], err)
		}
	}
	return horizons, nil
}
