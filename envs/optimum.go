package envs

// OptimumMetrics returns the metrics that compare a return with the best
// policy's on the same episodes: what the kind of optimum lets one claim.
func OptimumMetrics(s *Spec) []string {
	switch s.Optimum {
	case Exact:
		if s.NonNegative {
			return []string{"optimality", "regret"}
		}
		return []string{"regret"}
	case UpperBound:
		return []string{"upper_bound", "regret"}
	case Reference:
		return []string{"regret"}
	}
	return nil
}
