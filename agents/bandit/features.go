package bandit

import (
	"fmt"
	"slices"

	"overnight/envs"
	"overnight/internal/param"
)

// ContextParams say what a contextual policy sees.
type ContextParams struct {
	Fields []string `param:"fields" doc:"Observation fields to learn from. Not given: all. An integer of L levels becomes L - 1 indicators, level 0 being the base; other numbers are taken as they are, and a constant is added."`
}

// feature is a stretch of the features: of a field's numbers as they stand, or
// of indicators of one integer.
type feature struct{ at, n, levels int }

// features turns observations into numbers for a regression: 1, then field by
// field what ContextParams say.
type features struct {
	list []feature
	d    int
}

// check returns an error where the features can't be made of s.
func (p *ContextParams) check(name string, s *envs.Spec) error {
	for i, f := range p.Fields {
		if _, _, ok := s.Field(f); !ok {
			return &param.Error{Path: fmt.Sprintf("context.fields[%d]", i), What: fmt.Sprintf("is %q, which the environment does not show", f), Instead: "write one of " + fieldNames(s)}
		}
	}
	var f features
	f.build(p, s)
	switch {
	case f.d > maxFeatures:
		return fmt.Errorf("%s learns from at most %d features, and the observation makes %d; name some of %s in `context: {fields: ...}`", name, maxFeatures, f.d, fieldNames(s))
	case s.Horizon*f.d > maxContexts:
		return fmt.Errorf("%s keeps the context of every send, and %d sends of %d features are more than %d numbers; name fewer in `context: {fields: ...}`", name, s.Horizon, f.d, maxContexts)
	}
	return nil
}

// maxContexts bounds the memory of contexts to 128 MB.
const maxContexts = 1 << 24

func fieldNames(s *envs.Spec) string {
	text := ""
	for i, f := range s.Observation {
		if i > 0 {
			text += ", "
		}
		text += f.Name
	}
	if text == "" {
		return "no field at all"
	}
	return text
}

func (f *features) build(p *ContextParams, s *envs.Spec) {
	f.list, f.d = f.list[:0], 1
	at := 0
	for _, field := range s.Observation {
		if p.Fields == nil || slices.Contains(p.Fields, field.Name) {
			if field.Levels > 0 {
				for j := range field.Len {
					f.list = append(f.list, feature{at + j, 1, field.Levels})
					f.d += field.Levels - 1
				}
			} else {
				f.list = append(f.list, feature{at, field.Len, 0})
				f.d += field.Len
			}
		}
		at += field.Len
	}
}

// fill writes the features of an observation.
func (f *features) fill(into, obs []float64) {
	into[0] = 1
	into = into[1:]
	for _, e := range f.list {
		if e.levels == 0 {
			copy(into, obs[e.at:e.at+e.n])
			into = into[e.n:]
			continue
		}
		clear(into[:e.levels-1])
		if level := int(obs[e.at]); level > 0 && level < e.levels {
			into[level-1] = 1
		}
		into = into[e.levels-1:]
	}
}
