package figure

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
)

// Check tells what keeps a figure from being drawn: lengths that differ, kinds
// that are not known, names that come twice. Builders return figures that pass.
//
// Of Bars and Intervals, X holds the categories and their label, and Y the label,
// scale and bounds of the values, although the values run from left to right;
// their marks are on "x".
func (f *Figure) Check() error {
	switch {
	case !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(f.ID):
		return fmt.Errorf("figure %q: its ID is not of lower case letters, digits and single dashes", f.ID)
	case f.Title == "" || f.Caption == "":
		return fmt.Errorf("figure %q has no title or no caption", f.ID)
	case len(f.Panels) == 0:
		return fmt.Errorf("figure %q has no panel", f.ID)
	}
	names := map[string]bool{}
	for i := range f.Panels {
		p := &f.Panels[i]
		if names[p.Name] || p.Name == "" && len(f.Panels) > 1 {
			return fmt.Errorf("figure %q: panel %d has the name %q, which is empty or taken", f.ID, i, p.Name)
		}
		names[p.Name] = true
		if err := p.check(); err != nil {
			return fmt.Errorf("figure %q, panel %d %q: %w", f.ID, i, p.Name, err)
		}
	}
	return nil
}

// Check checks figures that are shown together: each one, and that no ID comes
// twice.
func Check(figs []Figure) error {
	seen := map[string]bool{}
	for i := range figs {
		if err := figs[i].Check(); err != nil {
			return err
		}
		if seen[figs[i].ID] {
			return fmt.Errorf("two figures have the ID %q", figs[i].ID)
		}
		seen[figs[i].ID] = true
	}
	return nil
}

func (p *Panel) check() error {
	for _, m := range p.Marks {
		if m.Name == "" || (m.Axis != "x" && m.Axis != "y") || !finite(m.At) {
			return fmt.Errorf("mark %q at %v on axis %q", m.Name, m.At, m.Axis)
		}
	}
	if !slices.Contains([]string{"", "high", "low"}, p.Better) {
		return fmt.Errorf("better %q is neither high nor low", p.Better)
	}
	names := map[string]bool{}
	for i := range p.Series {
		s := &p.Series[i]
		if s.Name == "" || names[s.Name] {
			return fmt.Errorf("series %d has the name %q, which is empty or taken", i, s.Name)
		}
		names[s.Name] = true
		if err := s.check(); err != nil {
			return fmt.Errorf("series %q: %w", s.Name, err)
		}
	}
	if err := p.checkTime(); err != nil {
		return err
	}
	switch p.Kind {
	case Tiles:
		return p.checkTiles()
	case Lines, Areas, Scatter:
		return p.checkXY()
	case Bars, Intervals:
		return p.checkCategories()
	case Heatmap:
		if len(p.Series) > 0 || len(p.X.Categories) == 0 {
			return errors.New("a heat map has series or no categories")
		}
		return p.checkGrid(len(p.Y.Categories), len(p.X.Categories))
	case Contour:
		return p.checkContour()
	case Parallel:
		return p.checkParallel()
	}
	return fmt.Errorf("unknown kind %q", p.Kind)
}

func (s *Series) check() error {
	n := len(s.Y)
	switch {
	case s.Color < -1:
		return fmt.Errorf("colour %d", s.Color)
	case len(s.Low) != len(s.High) || s.Low != nil && len(s.Low) != n:
		return fmt.Errorf("%d values, %d low and %d high bounds", n, len(s.Low), len(s.High))
	case s.Text != nil && len(s.Text) != n:
		return fmt.Errorf("%d values and %d texts", n, len(s.Text))
	case s.X != nil && len(s.X) != n:
		return fmt.Errorf("%d values at %d places", n, len(s.X))
	}
	for i := range s.Low {
		if s.Low[i] > s.High[i] {
			return fmt.Errorf("entry %d is between %v and %v", i, s.Low[i], s.High[i])
		}
	}
	return nil
}

func (p *Panel) checkXY() error {
	if len(p.Series) == 0 {
		return errors.New("it has no series")
	}
	for i := range p.Series {
		s := &p.Series[i]
		if len(s.X) != len(s.Y) || len(s.Y) == 0 {
			return fmt.Errorf("series %q has %d values at %d places", s.Name, len(s.Y), len(s.X))
		}
		for j, x := range s.X {
			switch {
			case !finite(x) && p.Kind != Scatter:
				return fmt.Errorf("series %q: place %d is not known", s.Name, j)
			case p.Kind != Scatter && j > 0 && x <= s.X[j-1]:
				return fmt.Errorf("series %q: its places don't ascend at %d", s.Name, j)
			case p.X.Log && x <= 0:
				return fmt.Errorf("series %q: place %d is %v on a logarithmic axis", s.Name, j, x)
			case p.Y.Log && s.Y[j] <= 0:
				return fmt.Errorf("series %q: value %d is %v on a logarithmic axis", s.Name, j, s.Y[j])
			}
		}
		if p.Kind == Areas && !slices.Equal(s.X, p.Series[0].X) {
			return fmt.Errorf("area %q has other places than the first", s.Name)
		}
	}
	return nil
}

func (p *Panel) checkCategories() error {
	if len(p.Series) == 0 || len(p.X.Categories) == 0 {
		return errors.New("it has no series or no categories")
	}
	for i := range p.Series {
		if n := len(p.Series[i].Y); n != len(p.X.Categories) || p.Series[i].X != nil {
			return fmt.Errorf("series %q has %d values for %d categories", p.Series[i].Name, n, len(p.X.Categories))
		}
	}
	for _, m := range p.Marks {
		if m.Axis != "x" {
			return fmt.Errorf("mark %q is on axis %q, where the categories are", m.Name, m.Axis)
		}
	}
	return nil
}

func (p *Panel) checkGrid(rows, columns int) error {
	if len(p.Grid) != rows || rows == 0 || p.GridText != nil && len(p.GridText) != rows {
		return fmt.Errorf("%d rows of values and %d of texts for %d", len(p.Grid), len(p.GridText), rows)
	}
	for y := range p.Grid {
		if len(p.Grid[y]) != columns || p.GridText != nil && len(p.GridText[y]) != columns {
			return fmt.Errorf("row %d has %d values for %d columns", y, len(p.Grid[y]), columns)
		}
	}
	return nil
}

func (p *Panel) checkContour() error {
	for _, axis := range [][]Num{p.GridX, p.GridY} {
		if len(axis) < 2 {
			return errors.New("a contour has fewer than two columns or rows")
		}
		for i := range axis {
			if !finite(axis[i]) || i > 0 && axis[i] <= axis[i-1] {
				return errors.New("the places of a contour don't ascend")
			}
		}
	}
	for i, l := range p.Isolines {
		if len(l.X) != len(l.Y) || len(l.X) < 2 || !finite(l.Level) {
			return fmt.Errorf("isoline %d has %d and %d places", i, len(l.X), len(l.Y))
		}
	}
	for i := range p.Series {
		if len(p.Series[i].X) != len(p.Series[i].Y) {
			return fmt.Errorf("series %q has dots without a place", p.Series[i].Name)
		}
	}
	return p.checkGrid(len(p.GridY), len(p.GridX))
}

func (p *Panel) checkParallel() error {
	if len(p.Dims) < 2 || len(p.Rows) == 0 {
		return errors.New("fewer than two dimensions, or no row")
	}
	for i, row := range p.Rows {
		if len(row) != len(p.Dims) {
			return fmt.Errorf("row %d has %d values for %d dimensions", i, len(row), len(p.Dims))
		}
		for d, v := range row {
			n := len(p.Dims[d].Categories)
			switch {
			case !finite(v):
			case n > 0 && (v < 0 || int(v) >= n || v != Num(math.Trunc(float64(v)))):
				return fmt.Errorf("row %d: %v is no category of %q", i, v, p.Dims[d].Label)
			case p.Dims[d].Log && v <= 0:
				return fmt.Errorf("row %d: %v on the logarithmic %q", i, v, p.Dims[d].Label)
			}
		}
	}
	return nil
}

func finite(n Num) bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }
