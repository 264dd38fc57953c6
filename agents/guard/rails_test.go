package guard

import (
	"math"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// setting is an environment with rails.
type setting struct {
	name  string
	env   []any
	rails *param.Map
}

func settings() []setting {
	lines := []any{"horizon", int64(400), "rates", list(.1, .5, .3, .45)}
	people := append([]any{"recipients", mapping("number", int64(60))}, lines...)
	vetoed := append([]any{"subjects", []param.Value{"a", "b", "c", "d"}, "veto", []param.Value{"b"}}, lines...)
	return []setting{
		{"floor", lines, mapping("floor", .05)},
		{"holdout", lines, mapping("holdout", .2)},
		{"share cap", lines, mapping("share_cap", .3)},
		{"all", lines, mapping("holdout", .1, "floor", .04, "share_cap", .35)},
		{"masked", vetoed, mapping("holdout", .1, "floor", .04, "share_cap", .5)},
		{"recipients", people, mapping("holdout", .3, "floor", .03, "share_cap", .4, "frequency", mapping("cap", int64(3), "within", int64(150)))},
	}
}

// TestPropensities compares the exact propensities with how often each action is
// sent from one state, over keys: within 5 standard errors, which right code
// fails once in 2,000 seeds here. They sum to 1, and Action.Prob is one of them
// or 0, not known: that where the policy's own is not cheap, and a rail is on
// that needs it.
func TestPropensities(t *testing.T) {
	t.Parallel()
	const draws = 20_000
	for _, s := range settings() {
		for _, name := range []string{"epsilon_greedy", "softmax", "exp3", "ucb1", "thompson", "uniform", "first"} {
			e := world(t, s.env...)
			a := guardOf(t, e, name, s.rails)
			r := start(e, a, 1)
			for range 83 {
				r.step()
			}
			exact := a.(agents.Propensities)
			// By holdout: of people the group is part of the state.
			var sent [2][]float64
			var want [2][]float64
			var number [2]float64
			known := 0
			for d := range uint64(draws) {
				a.Begin(rng.Root(9, "keys").At(d), agents.Train)
				h := 0
				if g := unwrap(a); g.recipient >= 0 && g.held(&r.in) {
					h = 1
				}
				if want[h] == nil {
					sent[h], want[h] = make([]float64, e.Spec().Action.N), make([]float64, e.Spec().Action.N)
					exact.Propensities(&r.in, want[h])
				}
				act := envs.Action{Prob: -1}
				a.Act(&r.in, &act)
				number[h]++
				sent[h][act.Index]++
				if act.Prob != 0 {
					known++
					if math.Abs(act.Prob-want[h][act.Index]) > 1e-15 {
						t.Fatalf("%s, %s: Act says %v of action %d, Propensities %v", s.name, name, act.Prob, act.Index, want[h])
					}
				}
			}
			if name != "thompson" && known != draws {
				t.Errorf("%s, %s: Act knew %d propensities of %d", s.name, name, known, draws)
			}
			for h, shares := range sent {
				sum := 0.0
				for i, n := range shares {
					p := want[h][i]
					sum += p
					// Thompson's own are good to 1e-3.
					off := math.Abs(n/number[h]-p) - map[bool]float64{true: 1e-3}[name == "thompson"]
					if off > 5*math.Sqrt(p*(1-p)/number[h])+1e-12 && !(p < 1e-3 && n < 20) {
						t.Errorf("%s, %s: action %d has propensity %.5f and is sent %.5f of the time", s.name, name, i, p, n/number[h])
					}
				}
				if shares != nil && math.Abs(sum-1) > 1e-12 {
					t.Errorf("%s, %s: propensities sum to %v", s.name, name, sum)
				}
			}
		}
	}
}

// TestFloor checks at every send that each action that is open has its floor, and
// a holdout's share on top, in every mode.
func TestFloor(t *testing.T) {
	t.Parallel()
	for _, s := range settings() {
		for _, name := range []string{"epsilon_greedy", "ucb1", "exp3"} {
			e := world(t, s.env...)
			a := guardOf(t, e, name, s.rails)
			g := unwrap(a)
			probs := make([]float64, g.k)
			r := start(e, a, 2)
			sends := 0
			for !r.in.Done {
				open, _ := g.masks(&r.in)
				n := count(open, g.k)
				least := g.p.Floor
				if g.recipient < 0 {
					least = float64(g.p.Holdout/float64(n)) + float64((1-g.p.Holdout)*g.p.Floor)
				}
				g.Propensities(&r.in, probs)
				for i, p := range probs {
					if allows(open, i) && p < least-1e-15 || !allows(open, i) && p != 0 {
						t.Fatalf("%s, %s, step %d: propensities %v, mask %v, want at least %v", s.name, name, r.in.T, probs, open, least)
					}
				}
				sends++
				r.step()
			}
			if sends != 400 {
				t.Errorf("%d sends", sends)
			}
		}
	}
}

// TestShareCap checks that no arm ever has more than ceil(c t) of the first t
// sends where neither floor nor holdout sends it, and about c where they do.
func TestShareCap(t *testing.T) {
	t.Parallel()
	for _, c := range []float64{.2, .25, .3, .5, .7, .999} {
		for _, name := range []string{"fifth", "epsilon_greedy", "thompson", "ucb1"} {
			e := world(t, "horizon", int64(500), "rates", fiveRates)
			r := start(e, guardOf(t, e, name, mapping("share_cap", c)), 3)
			var sent [5]int
			for !r.in.Done {
				r.step()
				sent[r.act.Index]++
				if n, most := sent[r.act.Index], math.Ceil(c*float64(r.in.T)-1e-9); float64(n) > most {
					t.Fatalf("%s: %d of %d sends, want at most %v", name, n, r.in.T, most)
				}
			}
			if name == "fifth" && sent[4] != int(math.Ceil(c*500-1e-9)) {
				t.Errorf("the cap %v leaves %d of 500 sends to the only arm that is wanted", c, sent[4])
			}
			r = start(e, guardOf(t, e, name, mapping("share_cap", c, "floor", .05, "holdout", .1)), 3)
			sent = [5]int{}
			for !r.in.Done {
				r.step()
				sent[r.act.Index]++
			}
			// The last sends beyond the cap were floor and holdout: at most .07 of them.
			if float64(sent[4]) > c*500+.07*500 {
				t.Errorf("%s: %v of 500 sends under the cap %v, with floor and holdout", name, sent, c)
			}
		}
	}
}

// TestNoMailIsNotCapped checks that a policy may pass as many turns as it likes.
func TestNoMailIsNotCapped(t *testing.T) {
	t.Parallel()
	e := world(t, "horizon", int64(200), "rates", fiveRates, "recipients", mapping("number", int64(20)))
	r := start(e, guardOf(t, e, "sixth", mapping("share_cap", .3)), 1).finish()
	if sends := unwrap(r.agent).book.sends; sends[5] != 200 {
		t.Errorf("sends %v, want no mail alone", sends)
	}
}

// TestFrequency counts each recipient's mails in an environment without a cap of
// its own: nobody gets a mail after as many within the last sends, holdout and
// stop or not, and the cap binds.
func TestFrequency(t *testing.T) {
	t.Parallel()
	const number, cap, within = 40, 2, 200
	for _, rails := range []*param.Map{
		mapping("frequency", mapping("cap", int64(cap), "within", int64(within))),
		mapping("frequency", mapping("cap", int64(cap), "within", int64(within)), "holdout", .3, "floor", .1, "share_cap", .2),
		mapping("frequency", mapping("cap", int64(cap), "within", int64(within)), "stop", mapping("drop", 0.0, "rate", .99)),
	} {
		for _, mode := range []agents.Mode{agents.Train, agents.Greedy, agents.Sample} {
			e := world(t, "horizon", int64(1_500), "rates", fiveRates, "recipients", mapping("number", int64(number)))
			a := guardOf(t, e, "epsilon_greedy", rails)
			r := start(e, a, 4)
			a.Begin(rng.Root(3, "guard/agent").At(4), mode)
			var mails [number][]int
			bound := 0
			for !r.in.Done {
				who, at := int(r.in.Obs[0]), r.in.T
				a.Act(&r.in, &r.act)
				recent := 0
				for _, m := range mails[who] {
					if at-m < within {
						recent++
					}
				}
				switch {
				case recent >= cap && r.act.Index != 5:
					t.Fatalf("%s: a mail at step %d to a recipient with mails at %v", param.FormatValue(rails), at, mails[who])
				case recent >= cap:
					bound++
					if r.act.Prob != 1 {
						t.Fatalf("no mail is all that is left and has propensity %v", r.act.Prob)
					}
				case r.act.Index != 5:
					mails[who] = append(mails[who], at)
				}
				e.Step(&r.act, &r.out)
				if mode == agents.Train {
					a.Learn(&r.in, &r.act, &r.out)
				}
				r.in, r.out = r.out, r.in
			}
			if bound < 200 {
				t.Errorf("the cap bound %d times", bound)
			}
		}
	}
}

// TestHoldout checks its size and who is in it: of people always the same, of
// sends the share, within 5 standard errors.
func TestHoldout(t *testing.T) {
	t.Parallel()
	e := world(t, "horizon", int64(20_000), "rates", fiveRates)
	r := start(e, guardOf(t, e, "fifth", mapping("holdout", .15)), 5).finish()
	if got := r.report()["holdout_sends"]; math.Abs(got-3_000) > 5*math.Sqrt(3_000*.85) {
		t.Errorf("%v of 20,000 sends are holdout at .15", got)
	}
	e = world(t, "horizon", int64(20_000), "rates", fiveRates, "recipients", mapping("number", int64(2_000)))
	r = start(e, guardOf(t, e, "fifth", mapping("holdout", .15)), 5)
	g := unwrap(r.agent)
	in := map[int]bool{}
	for !r.in.Done {
		who := int(r.in.Obs[0])
		held := g.held(&r.in)
		if before, met := in[who]; met && before != held {
			t.Fatalf("recipient %d changed the group", who)
		}
		in[who] = held
		r.step()
		if !held && r.act.Index != 4 {
			t.Fatalf("a recipient outside the holdout got action %d", r.act.Index)
		}
	}
	people := 0.0
	for _, held := range in {
		if held {
			people++
		}
	}
	if g.book.units != [2]int64{int64(len(in)) - int64(people), int64(people)} {
		t.Errorf("units %v, want %v of %d", g.book.units, people, len(in))
	}
	if n := float64(len(in)); math.Abs(people-.15*n) > 5*math.Sqrt(n*.15*.85) {
		t.Errorf("%v of %v recipients are in the holdout", people, n)
	}
}

// TestOwnDraws checks that a policy's draws are those it has without a guard:
// wherever no rail decided, uniform sends what it would have sent.
func TestOwnDraws(t *testing.T) {
	t.Parallel()
	e := world(t, "horizon", int64(2_000), "rates", fiveRates)
	off := start(e, guardOf(t, e, "uniform", mapping()), 6)
	var want []int
	for !off.in.Done {
		off.step()
		want = append(want, off.act.Index)
	}
	on := start(e, guardOf(t, e, "uniform", mapping("holdout", .2, "floor", .04)), 6)
	same := 0.0
	for i := range want {
		on.step()
		if on.act.Index == want[i] {
			same++
		}
	}
	// Equal where no rail decided (.8 x .8), else by chance (1 in 5).
	p := .64 + .36/5
	if math.Abs(same/2_000-p) > 5*math.Sqrt(p*(1-p)/2_000) {
		t.Errorf("%v of 2,000 sends are as without rails, want %.3f of them", same, p)
	}
}

// TestModes checks that evaluating changes nothing that training counts.
func TestModes(t *testing.T) {
	t.Parallel()
	e := world(t, "horizon", int64(300), "rates", fiveRates)
	a := guardOf(t, e, "epsilon_greedy", mapping("holdout", .2, "share_cap", .3, "stop", mapping("drop", .5)))
	r := start(e, a, 1).finish()
	before := r.report()
	for _, m := range []agents.Mode{agents.Greedy, agents.Sample} {
		e.Reset(rng.Root(4, "other"), &r.in)
		a.Begin(rng.Root(4, "other"), m)
		var sent [5]int
		for !r.in.Done {
			a.Act(&r.in, &r.act)
			sent[r.act.Index]++
			e.Step(&r.act, &r.out)
			r.in, r.out = r.out, r.in
		}
		for i, n := range sent {
			if n > 90+20 { // 60 sends are holdout, 12 an arm
				t.Errorf("mode %d: arm %d has %d of 300 sends at a cap of .3", m, i, n)
			}
		}
	}
	after := r.report()
	for name, v := range before {
		if after[name] != v {
			t.Errorf("%s was %v and is %v after evaluating", name, v, after[name])
		}
	}
}
