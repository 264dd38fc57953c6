package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// checkTiles checks a panel of large numbers.
func (p *Panel) checkTiles() error {
	if len(p.Tiles) == 0 || len(p.Series) > 0 {
		return errors.New("tiles: it has none, or series beside them")
	}
	seen := map[Tile]bool{}
	for i, t := range p.Tiles {
		key := Tile{Label: t.Label, Color: t.Color}
		switch {
		case t.Label == "" || t.Value == "":
			return fmt.Errorf("tile %d %q has no label or no value", i, t.Label)
		case t.Color < -1:
			return fmt.Errorf("tile %d %q has the colour %d", i, t.Label, t.Color)
		case seen[key]:
			return fmt.Errorf("tile %d %q is there twice", i, t.Label)
		}
		seen[key] = true
	}
	return nil
}

// checkTime checks what stands under a replay, and what is stacked: a slider's
// places ascend, each of them has a frame of as many values as there are, and the
// last frame is what Y and X hold.
func (p *Panel) checkTime() error {
	if len(p.Tiles) > 0 && p.Kind != Tiles {
		return fmt.Errorf("it has tiles and is of kind %q", p.Kind)
	}
	places := 0
	if r := p.Replay; r != nil {
		places = len(r.At)
		switch {
		case p.Kind != Lines && p.Kind != Bars && p.Kind != Scatter:
			return fmt.Errorf("there is no replay of kind %q", p.Kind)
		case r.Label == "" || places < 2:
			return fmt.Errorf("a replay with the label %q and %d places", r.Label, places)
		}
		for i := range r.At {
			if !finite(r.At[i]) || i > 0 && r.At[i] <= r.At[i-1] {
				return fmt.Errorf("the replay's places don't ascend at %d", i)
			}
		}
	}
	framed := false
	for i := range p.Series {
		s := &p.Series[i]
		framed = framed || s.Frames != nil
		if err := p.checkFrames(s, places); err != nil {
			return fmt.Errorf("series %q: %w", s.Name, err)
		}
		if err := p.checkStack(s); err != nil {
			return fmt.Errorf("series %q: %w", s.Name, err)
		}
	}
	if p.Replay != nil && p.Kind != Lines && !framed {
		return errors.New("a replay, and no series has frames")
	}
	return nil
}

func (p *Panel) checkFrames(s *Series, places int) error {
	switch {
	case s.Frames == nil && s.FramesX == nil:
		return nil
	case p.Kind != Bars && p.Kind != Scatter:
		return fmt.Errorf("frames in a panel of kind %q", p.Kind)
	case p.Kind == Bars && s.FramesX != nil:
		return errors.New("bars have frames of X")
	case len(s.Frames) != places || s.FramesX != nil && len(s.FramesX) != places:
		return fmt.Errorf("%d frames and %d of X for %d places of a replay", len(s.Frames), len(s.FramesX), places)
	}
	for _, of := range []struct {
		frames [][]Num
		last   []Num
		log    bool
	}{{s.Frames, s.Y, p.Y.Log}, {s.FramesX, s.X, p.X.Log}} {
		for i, f := range of.frames {
			if len(f) != len(of.last) {
				return fmt.Errorf("frame %d has %d of %d values", i, len(f), len(of.last))
			}
			if of.log && slices.ContainsFunc(f, func(v Num) bool { return v <= 0 }) {
				return fmt.Errorf("frame %d has a value on a logarithmic axis that is not above 0", i)
			}
		}
		if n := len(of.frames); n > 0 && !slices.EqualFunc(of.frames[n-1], of.last, same) {
			return errors.New("its last frame is not what it shows at the end")
		}
	}
	return nil
}

func (p *Panel) checkStack(s *Series) error {
	switch {
	case s.Stack == "" && !s.Faint:
		return nil
	case p.Kind != Bars:
		return fmt.Errorf("stacked or faint in a panel of kind %q", p.Kind)
	case s.Stack == "":
		return nil
	case s.Low != nil:
		return errors.New("stacked, with an interval")
	case p.Y.Log:
		return errors.New("stacked on a logarithmic axis")
	}
	for _, f := range append([][]Num{s.Y}, s.Frames...) {
		if slices.ContainsFunc(f, func(v Num) bool { return v < 0 }) {
			return errors.New("stacked, with a value below 0")
		}
	}
	return nil
}

// same tells whether two numbers are equal or both missing.
func same(a, b Num) bool { return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b)) }
