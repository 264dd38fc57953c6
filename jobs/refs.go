package jobs

import "overnight/internal/param"

// step leads from a value to one inside it: a key of a mapping, or an index of a
// list where key is empty.
type step struct {
	key   string
	index int
}

// eachRef calls f with every Ref below v and the path to it, in file order. The
// path is only valid during the call.
func eachRef(v param.Value, path []step, f func(Ref, []step)) {
	switch v := v.(type) {
	case Ref:
		f(v, path)
	case []param.Value:
		for i := range v {
			eachRef(v[i], append(path, step{index: i}), f)
		}
	case *param.Map:
		if v == nil {
			return
		}
		for i := range v.Entries {
			eachRef(v.Entries[i].Value, append(path, step{key: v.Entries[i].Key}), f)
		}
	}
}

// substitute returns v with each Ref replaced by its value; what has none in it
// is shared.
func substitute(v param.Value, value func(Ref) param.Value) param.Value {
	switch v := v.(type) {
	case Ref:
		return value(v)
	case []param.Value:
		out := make([]param.Value, len(v))
		for i := range v {
			out[i] = substitute(v[i], value)
		}
		return out
	case *param.Map:
		return substituteMap(v, value)
	}
	return v
}

func substituteMap(m *param.Map, value func(Ref) param.Value) *param.Map {
	if m == nil {
		return nil
	}
	out := &param.Map{Entries: make([]param.Entry, len(m.Entries))}
	for i, e := range m.Entries {
		out.Entries[i] = param.Entry{Key: e.Key, Value: substitute(e.Value, value)}
	}
	return out
}

// find returns the place of the value that path leads to, or nil.
func find(m *param.Map, path []step) *param.Value {
	var v param.Value = m
	var at *param.Value
	for _, s := range path {
		at = nil
		switch x := v.(type) {
		case []param.Value:
			if s.key == "" && s.index < len(x) {
				at = &x[s.index]
			}
		case *param.Map:
			for i := range x.Entries {
				if s.key != "" && x.Entries[i].Key == s.key {
					at = &x.Entries[i].Value
					break
				}
			}
		}
		if at == nil {
			return nil
		}
		v = *at
	}
	return at
}
