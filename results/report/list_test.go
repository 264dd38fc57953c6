package report

import (
	"strings"
	"testing"
)

// TestList: a table of others fits as well, with every cell in it at any width.
func TestList(t *testing.T) {
	t.Parallel()
	l := &List{
		Title: "the best points so far", Columns: []ListColumn{{Name: "point", Number: true}, {Name: "arm"}, {Name: "mean", Number: true}, {Name: "delay", Spare: true}, {Name: "volatility_scale", Spare: true}, {Name: "learning_rate", Spare: true}},
		Rows: [][]string{{"7", "corrected", "0.994", "notebook", "0.5", "0.001"}, {"123", "equal", "12.9", "none", "2", "-"}},
	}
	for _, width := range []int{30, 60, 200, 0} {
		got := rendered(t, l, Style{Width: width})
		fits(t, "list", got, width)
		for _, cell := range []string{"corrected", "0.994", "notebook", "0.001"} {
			if !strings.Contains(got, cell) {
				t.Errorf("width %d has no %q:\n%s", width, cell, got)
			}
		}
	}
	if got, want := rendered(t, l, Style{Format: CSV}), "point,arm,mean,delay,volatility_scale,learning_rate\n7,corrected,0.994,notebook,0.5,0.001\n123,equal,12.9,none,2,-\n"; got != want {
		t.Errorf("CSV is\n%swant\n%s", got, want)
	}
	if got := rendered(t, l, Style{Format: JSON}); !strings.Contains(got, `"learning_rate": "0.001"`) {
		t.Errorf("JSON is\n%s", got)
	}
}
