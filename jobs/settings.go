package jobs

// Settings returns the factors that no environment refers to, ascending: arms'
// own ones, and shared ones that stand under `agents` alone. What they are set to
// is the experimenter's choice; the others are conditions that arms meet.
func (s *Study) Settings() []int {
	met := map[Ref]bool{}
	for i := range s.Tasks {
		eachRef(s.Tasks[i].Params, nil, func(r Ref, _ []step) { met[r] = true })
	}
	var settings []int
	for f := range s.Factors {
		if !met[Ref(f)] && (s.Factors[f].Shared || s.Factors[f].Arm != "") {
			settings = append(settings, f)
		}
	}
	return settings
}
