package export

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecisionColumns(t *testing.T) {
	t.Parallel()
	want := []Column{
		{"trial", Integer, false}, {"episode", Integer, false}, {"step", Integer, false},
		{"hour", Float, true}, {"context.step", Float, true}, {"context.hour", Float, true},
		{"allowed.a", Boolean, false}, {"allowed.b", Boolean, false}, {"allowed.allowed.a", Boolean, false},
		{"action", Integer, false}, {"action_name", String, false}, {"propensity", Float, true},
		{"prob.a", Float, true}, {"prob.b", Float, true}, {"prob.prob.a", Float, true},
		{"outcome", Float, true},
	}
	columns := DecisionColumns([]string{"hour", "step", "hour"}, []string{"a", "b", "a"})
	if diff := cmp.Diff(want, columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	for _, f := range []Format{CSV, JSONL, Parquet} {
		var b bytes.Buffer
		table, err := NewColumns(&b, f, columns)
		if err != nil {
			t.Fatal(err)
		}
		if err := table.Row(uint64(1), uint64(0), 7, 1.5, 2.5, 3.5, true, true, false, 1, "b", nil, nil, nil, nil, .5); err != nil {
			t.Fatal(err)
		}
		if err := table.Close(); err != nil {
			t.Fatal(err)
		}
		if f != Parquet {
			continue
		}
		_, header, rows := readBack(t, b.Bytes())
		if diff := cmp.Diff(names(columns), header); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]string{{"1", "0", "7", "1.5", "2.5", "3.5", "true", "true", "false", "1", "b", "", "", "", "", "0.5"}}, rows); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	}
}
