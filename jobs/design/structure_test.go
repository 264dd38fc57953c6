package design

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestSaltelli checks every row against the definition, from the rows A and B of
// its base sample.
func TestSaltelli(t *testing.T) {
	t.Parallel()
	for _, second := range []bool{false, true} {
		for d := 1; d <= 6; d++ {
			r := rowsOf(t, Spec{Kind: Saltelli, Points: 5, Second: second}, 3, d)
			each := d + 2
			if second {
				each = 2*d + 2
			}
			if r.Len() != uint64(5*each) {
				t.Fatalf("%d columns, second %v: %d rows, want %d", d, second, r.Len(), 5*each)
			}
			rows := table(r, d)
			for i, row := range rows {
				base, block, column := SaltelliRow(uint64(i), d, second)
				a, b := rows[base*uint64(each)], rows[base*uint64(each)+1]
				want, other := slices.Clone(a), b
				if block == BlockB || block == BlockBA {
					want, other = slices.Clone(b), a
				}
				if block >= BlockAB {
					want[column] = other[column]
				}
				if base != uint64(i/each) || r.Group(uint64(i)) != base || !slices.Equal(row, want) {
					t.Fatalf("%d columns, second %v: row %d of base %d, block %d, column %d is %v, want %v", d, second, i, base, block, column, row, want)
				}
				for c := range d {
					if a[c] == b[c] {
						t.Fatalf("A and B are equal in column %d of base %d", c, base)
					}
				}
			}
		}
	}
}

// TestSaltelliBlocks pins what each row of a base sample is.
func TestSaltelliBlocks(t *testing.T) {
	t.Parallel()
	type is struct {
		Base   uint64
		Block  Block
		Column int
	}
	list := func(d int, second bool, rows ...uint64) (out []is) {
		for _, row := range rows {
			b, k, c := SaltelliRow(row, d, second)
			out = append(out, is{b, k, c})
		}
		return out
	}
	if diff := cmp.Diff([]is{{0, BlockA, -1}, {0, BlockB, -1}, {0, BlockAB, 0}, {0, BlockAB, 1}, {1, BlockA, -1}, {7, BlockAB, 1}}, list(2, false, 0, 1, 2, 3, 4, 31)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]is{{0, BlockAB, 1}, {0, BlockBA, 0}, {0, BlockBA, 1}, {1, BlockA, -1}}, list(2, true, 3, 4, 5, 6)); diff != "" {
		t.Error(diff)
	}
}

// TestMorris checks what defines a trajectory: each step changes one column, by
// half of its grid, each column once, and all values lie on the grids; and that
// steps, starts and orders are as likely as they should be.
func TestMorris(t *testing.T) {
	t.Parallel()
	const trajectories = 3000
	levels := []int{0, 0, 2, 3, 5, 4}
	sizes := []int{6, 6, 2, 3, 5, 4}
	d := len(levels)
	r := rowsOver(t, Spec{Kind: Morris, Points: trajectories, Levels: 6}, 11, levels...)
	rows := table(r, d)
	if len(rows) != trajectories*(d+1) {
		t.Fatalf("%d rows, want %d", len(rows), trajectories*(d+1))
	}
	starts, ups, first := make([]map[string]int, d), make([]int, d), map[string]int{}
	for c := range starts {
		starts[c] = map[string]int{}
	}
	// level is the number of a value on its column's grid.
	level := func(c int, u float64) int {
		if levels[c] > 0 {
			return Level(u, levels[c])
		}
		k := u * float64(sizes[c]-1)
		if math.Abs(k-math.Round(k)) > 1e-12 {
			t.Fatalf("column %d has %v, which is not on its grid", c, u)
		}
		return int(math.Round(k))
	}
	var seen []int
	for i, row := range rows {
		trajectory, step := MorrisRow(uint64(i), d)
		column, by := r.(Stepper).Step(uint64(i))
		if trajectory != uint64(i/(d+1)) || step != i%(d+1) || r.Group(uint64(i)) != trajectory {
			t.Fatalf("row %d is step %d of trajectory %d", i, step, trajectory)
		}
		if step == 0 {
			if column != -1 || by != 0 {
				t.Fatalf("row %d starts with step %d, %v", i, column, by)
			}
			for c, u := range row {
				starts[c][fmt.Sprint(level(c, u))]++
			}
			seen = seen[:0]
			continue
		}
		for c := range d {
			moved := float64(level(c, row[c])-level(c, rows[i-1][c])) / float64(sizes[c]-1)
			want := 0.0
			if c == column {
				want = by
			}
			if moved != want {
				t.Fatalf("row %d moves column %d by %v, want %v", i, c, moved, want)
			}
		}
		if want := float64(sizes[column]/2) / float64(sizes[column]-1); math.Abs(by) != want || slices.Contains(seen, column) {
			t.Fatalf("row %d changes column %d by %v, want %v once", i, column, by, want)
		}
		if step == 1 {
			first[fmt.Sprint(column)]++
		}
		if by > 0 {
			ups[column]++
		}
		seen = append(seen, column)
	}
	checkUniform(t, "first steps", first, d, trajectories)
	for c := range d {
		checkUniform(t, fmt.Sprint("starts of column ", c), starts[c], sizes[c], trajectories)
		if math.Abs(float64(ups[c])-trajectories/2) > 5*math.Sqrt(trajectories)/2 {
			t.Errorf("column %d goes up %d times of %d", c, ups[c], trajectories)
		}
	}
}

func TestOAT(t *testing.T) {
	t.Parallel()
	// A range, three levels, one level, two levels, and a normal distribution.
	columns := []Column{{Name: "a", Place: 1}, {Name: "b", Dimension: 1, Levels: 3, Place: 3}, {Name: "c", Dimension: 2, Levels: 1, Place: 5}, {Name: "d", Dimension: 3, Levels: 2}, {Name: "e", Dimension: 4, Endless: true, Place: 5}}
	d, err := New(Spec{Kind: OAT}, 1, []string{"a", "b", "c", "d", "e"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Rows(columns)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Values [5]float64 // of b to d: levels
		Group  uint64
		Column int
		By     float64
	}
	want := []row{
		{[5]float64{0.5, 0, 0, 0, 0.5}, 0, -1, 0},
		{[5]float64{0, 0, 0, 0, 0.5}, 1, 0, -0.5},
		{[5]float64{1, 0, 0, 0, 0.5}, 2, 0, 0.5},
		{[5]float64{0.5, 1, 0, 0, 0.5}, 3, 1, 0.5},
		{[5]float64{0.5, 2, 0, 0, 0.5}, 4, 1, 1},
		{[5]float64{0.5, 0, 0, 1, 0.5}, 0, 3, 1},
		{[5]float64{0.5, 0, 0, 0, 0.1}, 5, 4, -0.4},
		{[5]float64{0.5, 0, 0, 0, 0.9}, 6, 4, 0.4},
	}
	var got []row
	for i, u := range table(r, 5) {
		column, by := r.(Stepper).Step(uint64(i))
		got = append(got, row{[5]float64{u[0], float64(Level(u[1], 3)), float64(Level(u[2], 1)), float64(Level(u[3], 2)), u[4]}, r.Group(uint64(i)), column, by})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCCD(t *testing.T) {
	t.Parallel()
	want := [][]float64{
		{0, 0}, {0, 1}, {1, 0}, {1, 1},
		{0, 0.5}, {1, 0.5}, {0.5, 0}, {0.5, 1},
		{0.5, 0.5},
	}
	r := rowsOf(t, Spec{Kind: CCD}, 1, 2)
	if diff := cmp.Diff(want, table(r, 2)); diff != "" {
		t.Error(diff)
	}
	for d := 2; d <= MaxComposite; d++ {
		r := rowsOf(t, Spec{Kind: CCD}, 1, d)
		rows, groups, ends := map[string]bool{}, map[uint64]bool{}, 0
		for i, u := range table(r, d) {
			rows[fmt.Sprint(u)], groups[r.Group(uint64(i))] = true, true
			for _, x := range u {
				if x == 0 || x == 1 {
					ends++
				}
			}
		}
		if n := 1<<d + 2*d + 1; len(rows) != n || len(groups) != n || ends != d<<d+2*d {
			t.Errorf("%d columns have %d different rows, %d groups and %d ends, want %d, %d and %d", d, len(rows), len(groups), ends, n, n, d<<d+2*d)
		}
	}
	for _, d := range []int{1, MaxComposite + 1} {
		design, err := New(Spec{Kind: CCD}, 1, columnNames(d))
		if err != nil {
			t.Fatal(err)
		}
		var columns []Column
		for i, name := range columnNames(d) {
			columns = append(columns, Column{Name: name, Dimension: i})
		}
		if _, err := design.Rows(columns); err == nil {
			t.Errorf("a central composite of %d factors was made", d)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []Spec{
		{Kind: "niederreiter", Points: 8}, {Kind: "grid"}, {Kind: Random}, {Kind: Random, Points: MaxRows + 1}, {Kind: Sobol, Points: MaxSequence + 1},
		{Kind: OAT, Points: 1}, {Kind: Sobol, Points: 8, Second: true}, {Kind: LHS, Points: 8, Levels: 4}, {Kind: Morris, Points: 8},
		{Kind: Morris, Points: 8, Levels: 3}, {Kind: Morris, Points: 8, Levels: MaxLevels + 2}, {Kind: LHS, Points: 8, Start: Starts}, {Kind: LHS, Points: MaxMaximin + 1, Start: 1},
	} {
		if _, err := New(s, 1, []string{"a"}); err == nil {
			t.Errorf("New(%+v) gave no error", s)
		}
	}
	d, err := New(Spec{Kind: Morris, Points: MaxRows / 2, Levels: 4}, 1, columnNames(4))
	if err != nil {
		t.Fatal(err)
	}
	for name, columns := range map[string][]Column{
		"more rows than numbers": {{Name: "a"}, {Name: "b", Dimension: 1}, {Name: "c", Dimension: 2}},
		"a dimension too far":    {{Name: "a", Dimension: 4}},
		"one level":              {{Name: "a", Levels: 1}},
		"no ends":                {{Name: "a", Endless: true}},
	} {
		if _, err := d.Rows(columns); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestNothingMoves checks what stays where it is when a design grows: with a column
// after the others, all values but of LHS with a search (Choose) and the numbers
// of rows; with more points, all but of LHS; and in any subset of columns.
func TestNothingMoves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{Random, LHS, Sobol, Halton, Saltelli, Morris}).Draw(t, "kind")
		spec := Spec{Kind: kind, Points: rapid.Uint64Range(1, 40).Draw(t, "points")}
		if kind == Morris {
			spec.Levels = 2 * rapid.IntRange(1, 4).Draw(t, "levels")
		}
		more := spec
		if kind != LHS {
			more.Points += rapid.Uint64Range(0, 40).Draw(t, "more")
		}
		seed, d := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 6).Draw(t, "columns")
		names := columnNames(d + 2)
		var few, all []Column
		for i, name := range names {
			c := Column{Name: name, Dimension: i, Levels: rapid.SampledFrom([]int{0, 0, 2, 3}).Draw(t, "levels")}
			all = append(all, c)
			if i < d && rapid.Bool().Draw(t, "in") {
				few = append(few, c)
			}
		}
		if len(few) == 0 {
			few = all[:1]
		}
		a, errA := New(spec, seed, names[:d])
		b, errB := New(more, seed, names)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		short, errA := a.Rows(few)
		long, errB := b.Rows(all)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		u, v := make([]float64, len(few)), make([]float64, len(all))
		for row := range short.Len() {
			short.Fill(row, u)
			long.Fill(sameRow(t, kind, row, few, all, short, long), v)
			for i, c := range few {
				if u[i] != v[c.Dimension] {
					t.Fatalf("%s: column %d of row %d moved from %v to %v", kind, c.Dimension, row, u[i], v[c.Dimension])
				}
			}
		}
	})
}

// sameRow is the row of the longer design that has the values of one of the
// shorter.
func sameRow(t *rapid.T, kind string, row uint64, few, all []Column, short, long Rows) uint64 {
	switch kind {
	case Saltelli:
		base, block, column := SaltelliRow(row, len(few), false)
		n := SaltelliRows(len(all), false)
		if block == BlockAB {
			return base*n + 2 + uint64(few[column].Dimension)
		}
		return base*n + uint64(block)
	case Morris:
		// The steps that both have come in the same order.
		trajectory, step := MorrisRow(row, len(few))
		other := trajectory * uint64(len(all)+1)
		for k := 1; k <= step; k++ {
			want, by := short.(Stepper).Step(row - uint64(step-k))
			for {
				other++
				if other > (trajectory+1)*uint64(len(all)+1)-1 {
					t.Fatalf("trajectory %d lost a step", trajectory)
				}
				if got, same := long.(Stepper).Step(other); got == few[want].Dimension && same == by {
					break
				}
			}
		}
		return other
	}
	return row
}

// TestGolden pins the first 100 rows of every kind: a change here changes studies'
// points and must raise the engine version.
func TestGolden(t *testing.T) {
	t.Parallel()
	levels := []int{0, 3, 0, 2, 0, 0, 7}
	for kind, want := range map[string]string{
		Random:   "24e0f8cdd53f4d1d2e1ed466",
		LHS:      "9b7fe3e001a806a6e904abf6",
		Sobol:    "8e6c5f0509bc6cdc6c15c7c4",
		Halton:   "0716b436948d80fe25331df3",
		Saltelli: "4eee6e225ccfcb7b6388b824",
		Morris:   "149d283655f1f3c2ca5a62e2",
		OAT:      "48844d06337383dc7324dd38",
		CCD:      "f206bcab495bbe8dccb00a81",
	} {
		spec, l := usualSpec(kind), levels
		switch kind {
		case LHS:
			spec.Start = Choose(42, columnNames(len(l)), 100)
			spec.Points = 100
		case CCD:
			l = make([]int, 7)
		}
		r := rowsOver(t, spec, 42, l...)
		h := sha256.New()
		u := make([]float64, len(l))
		for row := range min(100, r.Len()) {
			r.Fill(row, u)
			for _, x := range u {
				h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
			}
		}
		if got := hex.EncodeToString(h.Sum(nil)[:12]); got != want {
			t.Errorf("%s hashes to %s, want %s", kind, got, want)
		}
	}
}
