package results_test

import (
	"testing"

	"pgregory.net/rapid"

	"overnight/results"
)

func TestLedgerEdges(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{0, 1, 63, 64, 65, 128, 1000} {
		l := results.NewLedger(n)
		if l.Len() != n || l.Count() != 0 {
			t.Errorf("new: %d of %d, want 0 of %d", l.Count(), l.Len(), n)
		}
		if got := l.Missing(0); got != 0 {
			t.Errorf("the first missing of %d is %d, want 0", n, got)
		}
		for i := range n {
			if !l.Add(i) || l.Add(i) || !l.Has(i) {
				t.Errorf("trial %d of %d isn't added once", i, n)
			}
		}
		if l.Add(n) || l.Has(n) || l.Count() != n {
			t.Errorf("a ledger of %d takes trial %d; it counts %d", n, n, l.Count())
		}
		for _, from := range []uint64{0, n, n + 1, n + 1000} {
			if got := l.Missing(from); got != n {
				t.Errorf("the first missing from %d of a full %d is %d, want %d", from, n, got, n)
			}
		}
	}
}

// TestLedger compares it with a map.
func TestLedger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(0, 200).Draw(t, "n")
		l, m := results.NewLedger(n), make(map[uint64]bool)
		trial := rapid.Uint64Range(0, 260)
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if l.Len() != n || l.Count() != uint64(len(m)) {
					t.Fatalf("%d of %d, want %d of %d", l.Count(), l.Len(), len(m), n)
				}
				from := trial.Draw(t, "from")
				want := from
				for want < n && m[want] {
					want++
				}
				if got := l.Missing(from); got != min(want, n) {
					t.Fatalf("the first missing from %d is %d, want %d", from, got, min(want, n))
				}
			},
			"add": func(t *rapid.T) {
				i := trial.Draw(t, "trial")
				want := i < n && !m[i]
				if want {
					m[i] = true
				}
				if got := l.Add(i); got != want {
					t.Fatalf("Add(%d) is %v, want %v", i, got, want)
				}
			},
			"addRange": func(t *rapid.T) {
				for i := trial.Draw(t, "from"); i < trial.Draw(t, "to") && i < n; i++ {
					m[i] = true
					l.Add(i)
				}
			},
			"remove": func(t *rapid.T) {
				i := trial.Draw(t, "trial")
				l.Remove(i)
				delete(m, i)
			},
			"has": func(t *rapid.T) {
				if i := trial.Draw(t, "trial"); l.Has(i) != m[i] {
					t.Fatalf("Has(%d) is %v, want %v", i, l.Has(i), m[i])
				}
			},
			"grow": func(t *rapid.T) {
				n += rapid.Uint64Range(0, 70).Draw(t, "more")
				l.Grow(n)
			},
		})
	})
}

// TestLedgerAddBits compares it with Add.
func TestLedgerAddBits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(0, 300).Draw(t, "n")
		got, want := results.NewLedger(n), results.NewLedger(n)
		for range 2 {
			from := 64 * rapid.Uint64Range(0, 4).Draw(t, "from")
			bits := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bits")
			got.AddBits(from, bits)
			for i := range 8 * uint64(len(bits)) {
				if bits[i/8]>>(i%8)&1 != 0 {
					want.Add(from + i)
				}
			}
		}
		if got.Count() != want.Count() {
			t.Fatalf("%d trials, want %d", got.Count(), want.Count())
		}
		for i := range n + 70 {
			if got.Has(i) != want.Has(i) {
				t.Fatalf("trial %d of %d: %v, want %v", i, n, got.Has(i), want.Has(i))
			}
		}
	})
}
