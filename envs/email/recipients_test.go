package email

import (
	"fmt"
	"math"
	"testing"

	"overnight/envs"
)

// TestWeariness: n mails in a row to one recipient leave w = loss (q + ... + q^n)
// for the next, q = 1 - recovery, and passing lets q of it remain.
func TestWeariness(t *testing.T) {
	t.Parallel()
	const loss, q, n = .3, .9, 60
	e := build(t, object{"rates": []float64{.4, .3}, "horizon": 2 * n, "recipients": object{"number": 1, "loss": loss, "recovery": 1 - q}})
	i := 0
	play(e, key(1), func(in *envs.Step) int { return 2 * (in.T / n) }, func(s step) {
		w := loss * q * (1 - math.Pow(q, float64(min(i, n)))) / (1 - q) * math.Pow(q, float64(max(0, i-n)))
		near(t, fmt.Sprintf("rate at %d", i), e.before[0], .4/(1+w), 1e-12)
		if mails := s.before.Obs[1]; mails != float64(min(i, n)) {
			t.Errorf("after %d turns %v mails are seen", i, mails)
		}
		if s.arm == 2 && (s.after.Reward != 0 || e.last.gap != .4/(1+w) && math.Abs(e.last.gap-.4/(1+w)) > 1e-12) {
			t.Errorf("no mail brings %v, gap %v", s.after.Reward, e.last.gap)
		}
		i++
	})
}

// TestCap: no recipient has more mails than the cap within its sends; nothing
// but no mail is allowed exactly then; and recipients keep segment and device.
func TestCap(t *testing.T) {
	t.Parallel()
	const limit, within = 3, 200
	e := build(t, object{"horizon": 5000, "contexts": []string{"segment", "device"}, "veto": []string{"new/Free Gift Waiting"},
		"recipients": object{"number": 20, "cap": limit, "within": within}})
	mails := map[int][]int{}
	cells := map[int][2]float64{}
	bound, free := 0, 0
	play(e, key(1), uniform(6, key(2)), func(s step) {
		obs := s.before.Obs
		who := int(obs[len(obs)-2])
		cell := [2]float64{obs[0], obs[1]}
		if before, ok := cells[who]; ok && before != cell {
			t.Fatalf("recipient %d moves from %v to %v", who, before, cell)
		}
		cells[who] = cell
		recent := 0
		for _, at := range mails[who] {
			recent += int(oneIf(s.before.T-at < within))
		}
		if recent > limit {
			t.Fatalf("recipient %d has %d mails", who, recent)
		}
		for i := range 6 {
			want := i == 5 || recent < limit && (obs[0] > 0 || i != 4)
			if allowed := s.before.Allowed == nil || s.before.Allowed[i]; allowed != want {
				t.Fatalf("after %d recent mails arm %d is allowed: %v", recent, i, allowed)
			}
		}
		if recent == limit {
			bound++
		} else {
			free++
		}
		if s.arm < 5 {
			mails[who] = append(mails[who], s.before.T)
		}
	})
	if bound < 500 || free < 500 || len(cells) != 20 {
		t.Errorf("the cap binds %d times and not %d times, on %d recipients", bound, free, len(cells))
	}
	if o := e.Spec().Optimum; o != envs.Reference {
		t.Errorf("the optimum is %v, want a reference", o)
	}
}
