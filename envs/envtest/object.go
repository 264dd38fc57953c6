package envtest

import (
	"fmt"

	"overnight/envs"
	"overnight/internal/param"
)

// Object is parameters as a test writes them: numbers, texts, true and false,
// lists of these (and lists of lists of numbers), and Objects. null is nil.
type Object map[string]any

// Complete returns o with the defaults of the factory's schema.
func Complete(f envs.Factory, o Object) (*param.Map, error) {
	m, _ := value(o).(*param.Map)
	return f.Schema().Complete(m)
}

// New makes an environment of the parameters o.
func New(f envs.Factory, o Object, reuse envs.Env) (envs.Env, error) {
	p, err := Complete(f, o)
	if err != nil {
		return nil, err
	}
	return f.New(p, reuse)
}

// value turns what tests write into what a study file gives.
func value(v any) param.Value {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v
	case int:
		return int64(v)
	case []float64:
		return list(v)
	case []int:
		return list(v)
	case []string:
		return list(v)
	case [][]float64:
		return list(v)
	case Object:
		m := &param.Map{}
		for name, x := range v {
			m.Set(name, value(x))
		}
		return m
	}
	panic(fmt.Sprintf("envtest: a parameter of type %T; write numbers, texts, lists or Objects", v))
}

func list[T any](v []T) param.Value {
	out := []param.Value{}
	for _, x := range v {
		out = append(out, value(x))
	}
	return out
}
