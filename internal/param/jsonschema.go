package param

// referencePattern is the form of "$name" and "$data.name" in a study file.
const referencePattern = `^\$[A-Za-z_][A-Za-z0-9_.-]*$`

// JSONSchema returns the JSON Schema (2020-12) of a mapping with these
// parameters. factor is the $ref of the schema of a factor mapping, say
// "#/$defs/factor": every scalar, list and element of a list may then also be
// one, or a "$name" or "$data.name" text; where factor is empty, neither is
// allowed. json.Marshal of the result is deterministic, because it sorts keys.
func (s Schema) JSONSchema(factor string) map[string]any {
	properties := make(map[string]any, len(s))
	for i := range s {
		properties[s[i].Name] = s[i].jsonSchema(factor)
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
}

func (f *Field) jsonSchema(factor string) map[string]any {
	if f.Kind == Group {
		out := f.Fields.JSONSchema(factor)
		if f.Doc != "" {
			out["description"] = f.Doc
		}
		return out
	}
	var options []map[string]any
	switch f.Kind {
	case Bool:
		options = append(options, map[string]any{"type": "boolean"})
	case Int, Float, String:
		options = append(options, f.scalar(f.Kind))
	case NumberOrs:
		options = append(options, f.scalar(Float), f.array(f.scalar(Float), factor))
	case Matrix:
		row := map[string]any{"type": "array", "items": orFactor(factor, f.scalar(Float))}
		options = append(options, f.array(row, factor))
	default:
		options = append(options, f.array(f.scalar(f.Kind.element()), factor))
	}
	if f.Nullable {
		options = append(options, map[string]any{"type": "null"})
	}
	out := orFactor(factor, options...)
	doc := f.Doc
	if f.Unit != "" {
		doc += " Unit: " + f.Unit + "."
	}
	if doc != "" {
		out["description"] = doc
	}
	out["default"] = plainJSON(f.Default)
	return out
}

func (f *Field) array(items map[string]any, factor string) map[string]any {
	out := map[string]any{"type": "array", "items": orFactor(factor, items)}
	switch {
	case f.Kind == NumberOrs && f.MinLen > 0:
		out["minItems"] = 1 // a list of one is the number
	case f.MinLen > 0:
		out["minItems"] = f.MinLen
	}
	if f.MaxLen > 0 {
		out["maxItems"] = f.MaxLen
	}
	return out
}

// scalar is the schema of one number or text of f.
func (f *Field) scalar(k Kind) map[string]any {
	if k == String {
		out := map[string]any{"type": "string"}
		if len(f.Enum) > 0 {
			out["enum"] = f.Enum
		}
		return out
	}
	out := map[string]any{"type": "number"}
	if k == Int {
		out["type"] = "integer"
	}
	if f.Min != nil {
		out[map[bool]string{false: "minimum", true: "exclusiveMinimum"}[f.MinOpen]] = *f.Min
	}
	if f.Max != nil {
		out[map[bool]string{false: "maximum", true: "exclusiveMaximum"}[f.MaxOpen]] = *f.Max
	}
	return out
}

// orFactor is the schema of what matches one of the options, a factor mapping
// or a reference.
func orFactor(factor string, options ...map[string]any) map[string]any {
	if factor != "" {
		options = append(options, map[string]any{"$ref": factor},
			map[string]any{"type": "string", "pattern": referencePattern})
	}
	if len(options) == 1 {
		return options[0]
	}
	return map[string]any{"anyOf": options}
}

// plainJSON turns a value into what package json marshals as expected.
func plainJSON(v Value) any {
	m, ok := v.(*Map)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m.Entries))
	for _, e := range m.Entries {
		out[e.Key] = plainJSON(e.Value)
	}
	return out
}
