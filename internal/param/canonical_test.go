package param_test

import (
	"math"
	"testing"

	"overnight/internal/param"
)

func TestAppendCanonical(t *testing.T) {
	t.Parallel()
	equal := [][]param.Value{
		{nil}, {true}, {false}, {""}, {"a"}, {"b"}, {"ab"},
		{int64(0), 0.0, math.Copysign(0, -1)},
		{int64(1), 1.0},
		{int64(1 << 53), float64(1 << 53)},
		{int64(1<<53 + 1)},
		{int64(math.MaxInt64)},
		{float64(1 << 63)},
		{int64(math.MinInt64), -float64(1 << 63)},
		{math.NaN(), math.Float64frombits(0x7ff8000000000123)},
		{list()}, {list(nil)}, {list(list())}, {list("a", "b")}, {list("ab")},
		{m(), (*param.Map)(nil)},
		{m("a", int64(1), "b", 2.0), m("b", int64(2), "a", 1.0)},
		{m("a", list(1.0, "b"))},
	}
	seen := map[string]int{}
	for i, class := range equal {
		for _, v := range class {
			b := string(param.AppendCanonical([]byte("x"), v))
			if b[0] != 'x' {
				t.Errorf("%v overwrites what was there", v)
			}
			if j, ok := seen[b]; ok && j != i {
				t.Errorf("%v and %v have the same bytes", equal[j][0], v)
			}
			seen[b] = i
		}
	}
	if len(seen) != len(equal) {
		t.Errorf("%d byte strings for %d different values", len(seen), len(equal))
	}
	defer func() {
		if recover() == nil {
			t.Error("an int is accepted")
		}
	}()
	param.AppendCanonical(nil, 1)
}
