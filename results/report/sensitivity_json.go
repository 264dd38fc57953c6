package report

import (
	"overnight/results/sensitivity"
	"overnight/results/stats"
)

// The JSON form: numbers are null where they are not known, and keys that a
// method does not have are left out.
type (
	sensitivityJSON struct {
		heading
		Arms  []sensitivityArmJSON `json:"arms"`
		Notes []string             `json:"notes"`
	}
	sensitivityArmJSON struct {
		Task         string                  `json:"task"`
		Arm          string                  `json:"arm"`
		Within       string                  `json:"within,omitempty"`
		Method       string                  `json:"method"`
		Design       string                  `json:"design"`
		N            int                     `json:"n"` // base samples, trajectories or points
		Replications int                     `json:"replications"`
		Runs         int                     `json:"runs"`
		Missing      int                     `json:"missing"`
		Whole        int                     `json:"whole"` // of N, those without a hole
		Variance     number                  `json:"variance"`
		Rest         number                  `json:"rest"`
		Explained    number                  `json:"explained"`
		Factors      []sensitivityFactorJSON `json:"factors"`
		Pairs        []sensitivityPairJSON   `json:"pairs"`
		Notes        []string                `json:"notes"`
	}
	sensitivityFactorJSON struct {
		Factor    string `json:"factor"`
		Luck      bool   `json:"luck,omitempty"`
		N         int    `json:"n"`
		First     number `json:"first"`
		FirstLow  number `json:"first_low"`
		FirstHigh number `json:"first_high"`
		Total     number `json:"total"`
		TotalLow  number `json:"total_low"`
		TotalHigh number `json:"total_high"`
		// Beyond is what replications agree on, or what is above a shadow.
		Beyond     number `json:"beyond_luck"`
		BeyondLow  number `json:"beyond_luck_low"`
		BeyondHigh number `json:"beyond_luck_high"`
		*morrisJSON
		*prccJSON
		Told        *bool                  `json:"told_from_luck"` // null: not known
		Holes       *holesJSON             `json:"holes,omitempty"`
		Levels      []sensitivityLevelJSON `json:"levels,omitempty"`
		Convergence []sensitivityStepJSON  `json:"convergence,omitempty"`
	}
	morrisJSON struct {
		MuStar     number `json:"mu_star"`
		MuStarLow  number `json:"mu_star_low"`
		MuStarHigh number `json:"mu_star_high"`
		Mu         number `json:"mu"`
		MuLow      number `json:"mu_low"`
		MuHigh     number `json:"mu_high"`
		Sigma      number `json:"sigma"`
		SigmaLow   number `json:"sigma_low"`
		SigmaHigh  number `json:"sigma_high"`
	}
	prccJSON struct {
		PRCC     number `json:"prcc"`
		PRCCLow  number `json:"prcc_low"`
		PRCCHigh number `json:"prcc_high"`
	}
	// holesJSON has the indices with missing runs at the worst, the best and the
	// mean score: mu and mu* of Morris, the rank correlation as first of prcc.
	holesJSON struct {
		FirstWorst number `json:"first_if_worst"`
		FirstBest  number `json:"first_if_best"`
		FirstMean  number `json:"first_if_mean"`
		TotalWorst number `json:"total_if_worst"`
		TotalBest  number `json:"total_if_best"`
		TotalMean  number `json:"total_if_mean"`
	}
	sensitivityLevelJSON struct {
		Level    string `json:"level"`
		Value    number `json:"value"`
		Points   int    `json:"points"`
		Mean     number `json:"mean"`
		MeanLow  number `json:"mean_low"`
		MeanHigh number `json:"mean_high"`
	}
	// sensitivityStepJSON: of Morris, first is mu and total mu*; of prcc, first is
	// the rank correlation.
	sensitivityStepJSON struct {
		N         int    `json:"n"`
		First     number `json:"first"`
		FirstLow  number `json:"first_low"`
		FirstHigh number `json:"first_high"`
		Total     number `json:"total"`
		TotalLow  number `json:"total_low"`
		TotalHigh number `json:"total_high"`
	}
	sensitivityPairJSON struct {
		Factors   [2]string `json:"factors"`
		Share     number    `json:"share"`
		ShareLow  number    `json:"share_low"`
		ShareHigh number    `json:"share_high"`
		Told      *bool     `json:"told_from_luck"`
	}
)

func (t *SensitivityTable) json() any {
	out := sensitivityJSON{heading: t.m.heading(), Arms: []sensitivityArmJSON{}, Notes: t.notes()}
	if out.Notes == nil {
		out.Notes = []string{}
	}
	for i := range t.arms {
		out.Arms = append(out.Arms, t.arms[i].json(t.m))
	}
	return out
}

func (a *SensitivityArm) json(m *Model) sensitivityArmJSON {
	r := &a.Result
	j := sensitivityArmJSON{
		Task: a.Task, Arm: a.Arm, Within: a.Within, Method: a.Method, Design: a.Design,
		N: r.N, Replications: int(m.Study.Replications), Runs: r.Runs, Missing: r.Missing, Whole: r.Rows,
		Variance: number(r.Variance), Rest: number(r.Rest), Explained: number(r.Explained),
		Pairs: []sensitivityPairJSON{}, Notes: a.Notes,
	}
	for i := range a.Factors {
		j.Factors = append(j.Factors, a.Factors[i].json(a.Method))
	}
	for i := range a.Pairs {
		p := &a.Pairs[i]
		share, low, high := numbers(p.Share)
		j.Pairs = append(j.Pairs, sensitivityPairJSON{[2]string{a.Factors[p.A].Name, a.Factors[p.B].Name}, share, low, high, told(p.Told)})
	}
	return j
}

func (f *SensitivityFactor) json(method string) sensitivityFactorJSON {
	j := sensitivityFactorJSON{Factor: f.Name, Luck: f.IsLuck(), N: f.N, Told: told(f.Told)}
	j.First, j.FirstLow, j.FirstHigh = numbers(f.First)
	j.Total, j.TotalLow, j.TotalHigh = numbers(f.Total)
	j.Beyond, j.BeyondLow, j.BeyondHigh = numbers(f.Beyond)
	switch method {
	case MorrisScreen:
		o := &morrisJSON{}
		o.MuStar, o.MuStarLow, o.MuStarHigh = numbers(f.MuStar)
		o.Mu, o.MuLow, o.MuHigh = numbers(f.Mu)
		o.Sigma, o.SigmaLow, o.SigmaHigh = numbers(f.Sigma)
		j.morrisJSON = o
	case RankPRCC:
		o := &prccJSON{}
		o.PRCC, o.PRCCLow, o.PRCCHigh = numbers(f.PRCC)
		j.prccJSON = o
	}
	if h := f.Holes; h != nil {
		j.Holes = &holesJSON{number(h.FirstWorst), number(h.FirstBest), number(h.FirstMean), number(h.TotalWorst), number(h.TotalBest), number(h.TotalMean)}
	}
	for _, l := range f.Levels {
		mean, low, high := numbers(l.Mean)
		j.Levels = append(j.Levels, sensitivityLevelJSON{l.Name, number(l.Value), l.Points, mean, low, high})
	}
	for _, s := range f.Steps {
		k := sensitivityStepJSON{N: s.N}
		k.First, k.FirstLow, k.FirstHigh = numbers(s.First)
		k.Total, k.TotalLow, k.TotalHigh = numbers(s.Total)
		j.Convergence = append(j.Convergence, k)
	}
	return j
}

func numbers(e stats.Estimated) (value, low, high number) {
	return number(e.Value), number(e.Low), number(e.High)
}

func told(v sensitivity.Verdict) *bool {
	if v == sensitivity.Unknown {
		return nil
	}
	yes := v == sensitivity.Told
	return &yes
}

func (t *SensitivityTable) header() []string {
	return []string{"task", "arm", "within", "method", "factor", "n", "first", "first_low", "first_high", "total", "total_low", "total_high",
		"beyond_luck", "beyond_luck_low", "beyond_luck_high", "mu_star", "mu_star_low", "mu_star_high", "mu", "mu_low", "mu_high",
		"sigma", "sigma_low", "sigma_high", "prcc", "prcc_low", "prcc_high", "told_from_luck", "missing"}
}

func (t *SensitivityTable) each(yield func([]any) bool) {
	for i := range t.arms {
		a := &t.arms[i]
		for k := range a.Factors {
			f := &a.Factors[k]
			row := []any{a.Task, a.Arm, a.Within, a.Method, f.Name, f.N}
			for _, e := range []stats.Estimated{f.First, f.Total, f.Beyond, f.MuStar, f.Mu, f.Sigma, f.PRCC} {
				value, low, high := numbers(e)
				row = append(row, value, low, high)
			}
			said := ""
			switch f.Told {
			case sensitivity.Told:
				said = "true"
			case sensitivity.Luck:
				said = "false"
			}
			if !yield(append(row, said, a.Result.Missing)) {
				return
			}
		}
	}
}
