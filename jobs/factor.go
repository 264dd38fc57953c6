package jobs

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"overnight/internal/param"
	"overnight/jobs/design"
)

// factorKinds are the kinds, and with them the keys that make a mapping a
// factor.
func factorKinds() []FactorKind {
	return []FactorKind{Grid, Choice, Uniform, LogUniform, IntUniform, Normal}
}

// check tells what is wrong with a factor's range or levels, and what to write
// instead; both are "" where nothing is.
func (f *Factor) check() (what, instead string) {
	low, high := shortNumber(f.Low), shortNumber(f.High)
	switch f.Kind {
	case Grid, Choice:
		if len(f.Levels) == 0 {
			return "has no levels", "write at least one value"
		}
		for _, l := range f.Levels {
			if hasRef(l.Value) {
				return "has a factor inside a level", "write its values out"
			}
		}
		return "", ""
	case Uniform, LogUniform, IntUniform, Normal:
	default:
		return fmt.Sprintf("has the unknown kind %q", f.Kind), ""
	}
	if f.Low-f.Low != 0 || f.High-f.High != 0 {
		return "has a bound that is no finite number", "write two numbers"
	}
	switch {
	case f.Kind == Normal && f.High <= 0:
		return "has the standard deviation " + high + ", which is not above 0", "write normal: [mean, standard deviation]"
	case f.Kind == Normal:
		return "", ""
	case f.Low > f.High:
		return fmt.Sprintf("has the range [%s, %s], whose ends are the wrong way round", low, high), fmt.Sprintf("write [%s, %s]", high, low)
	case f.Low == f.High:
		return fmt.Sprintf("has the range [%s, %s], which holds one value", low, high), "write the value " + low + " alone, or two different ends"
	case f.Kind == LogUniform && f.Low <= 0:
		return fmt.Sprintf("has the range [%s, %s], and a logarithm needs numbers above 0", low, high), "write a low end above 0, or use uniform"
	case f.Kind == IntUniform && (f.Low != math.Floor(f.Low) || f.High != math.Floor(f.High)):
		return fmt.Sprintf("has the range [%s, %s], whose ends are not whole", low, high), "write whole numbers, or use uniform"
	case f.Kind == IntUniform && (math.Abs(f.Low) > design.MaxRows || math.Abs(f.High) > design.MaxRows):
		return fmt.Sprintf("has the range [%s, %s], beyond 2^53", low, high), "write smaller numbers"
	case f.High-f.Low > math.MaxFloat64:
		return fmt.Sprintf("has the range [%s, %s], which is too wide", low, high), "write smaller numbers"
	}
	return "", ""
}

// refuses tells why v can't be a value of a factor with a range; "" where it can.
func (f *Factor) refuses(v param.Value) string {
	var x float64
	switch v := v.(type) {
	case int64:
		if x = float64(v); f.Kind != IntUniform {
			return "is no number with a point"
		}
	case float64:
		if x = v; f.Kind == IntUniform {
			return "is not a whole number"
		}
	default:
		return "is no number"
	}
	switch {
	case x-x != 0:
		return "is not finite"
	case f.Kind != Normal && (x < f.Low || x > f.High):
		return fmt.Sprintf("is outside its range [%s, %s]", shortNumber(f.Low), shortNumber(f.High))
	}
	return ""
}

func hasRef(v param.Value) bool {
	found := false
	eachRef(v, nil, func(Ref, []step) { found = true })
	return found
}

func shortNumber(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// maxShort bounds the short form of a level, in characters.
const maxShort = 40

// short is the name of a level that has none: numbers in their shortest form,
// lists in brackets without commas, so that a table's separators can't occur.
func short(v param.Value) string {
	s := shortForm(v)
	if r := []rune(s); len(r) > maxShort {
		return string(r[:maxShort-1]) + "…"
	}
	return s
}

func shortForm(v param.Value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return shortNumber(v)
	case string:
		return v
	case []param.Value:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = shortForm(v[i])
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *param.Map:
		parts := make([]string, len(v.Entries))
		for i, e := range v.Entries {
			parts[i] = e.Key + "=" + shortForm(e.Value)
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	return fmt.Sprint(v)
}
