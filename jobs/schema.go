package jobs

import (
	"encoding/json"
	"slices"

	"overnight/internal/param"
	"overnight/jobs/design"
)

// SchemaJSON returns the JSON Schema (2020-12) of study files for a catalog's
// environments and agents, for editors. What it accepts Parse may still refuse:
// names that refer to each other, ranges that depend on other values.
func SchemaJSON(cat *Catalog) ([]byte, error) {
	var envs, agents []jsonEntry
	for _, f := range cat.Envs {
		envs = append(envs, jsonEntry{f.Name(), f.Doc(), f.Schema()})
	}
	for _, f := range cat.Agents {
		agents = append(agents, jsonEntry{f.Name(), f.Doc(), f.Schema()})
	}
	schema := object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Overnight study",
		"description": "An experiment: environments, the arms to compare on them, the factors to vary, and how often to repeat each point.",
		"type":        "object",
		"required":    []string{"study", "agents"},
		"anyOf":       []object{{"required": []string{"env"}}, {"required": []string{"envs"}}},
		"properties":  studyProperties(),
		"patternProperties": object{
			"^x-": object{"description": "Free, for anchors."},
		},
		"additionalProperties": false,
		"$defs": object{
			"name":        object{"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
			"count":       object{"type": "integer", "minimum": 1},
			"budget":      budgetSchema(),
			"factor":      factorSchema(),
			"design":      designSchema(),
			"environment": entrySchema(envs, "as"),
			"agent":       entrySchema(agents, "as", "on", "train"),
		},
	}
	return json.MarshalIndent(schema, "", "  ")
}

type object = map[string]any

type jsonEntry struct {
	name, doc string
	schema    param.Schema
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// described adds a description to a schema.
func described(s object, doc string) object {
	s["description"] = doc
	return s
}

// closed is the schema of a mapping with no other keys than those given.
func closed(properties object, required ...string) object {
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func studyProperties() object {
	list := func(of string) object { return object{"type": "array", "minItems": 1, "items": ref(of)} }
	return object{
		"study":        described(ref("name"), "The study's name."),
		"question":     described(object{"type": "string"}, "What the study asks; reports show it."),
		"seed":         described(object{"type": "integer", "minimum": 0, "default": 1}, "All randomness is a function of it."),
		"factors":      described(object{"type": "object", "additionalProperties": ref("factor")}, "Shared factors, used as $name wherever a value stands."),
		"data":         described(object{"type": "object", "additionalProperties": closed(object{"csv": object{"type": "string"}}, "csv")}, "Data files, relative to this file, used as $data.name."),
		"env":          described(ref("environment"), "The environment."),
		"envs":         described(list("environment"), "Several environments, each with a label."),
		"agents":       described(list("agent"), "The arms to compare."),
		"baseline":     described(ref("name"), "The label of the arm that others are compared with."),
		"design":       described(object{"anyOf": []object{{"enum": []string{GridDesign, design.OAT, design.CCD}}, ref("design"), list("design")}, "default": GridDesign}, "How points are laid out; a list of designs is crossed."),
		"replications": described(object{"anyOf": []object{{"type": "integer", "minimum": 1}, stoppingSchema()}, "default": 1}, "How often each point is repeated, under its own random streams."),
		"confirm": described(closed(object{
			"of":           described(object{"type": "array", "minItems": 1, "items": ref("name")}, "The arms whose points can be chosen: by default all but the baseline, which runs along, and oracles."),
			"top":          described(ref("count"), "How many points of each environment: the best by the objective."),
			"replications": described(object{"type": "integer", "minimum": 2}, "How often they run again, on fresh streams."),
		}, "top", "replications"), "Run the best points again, to see what their luck was."),
		"paired": described(object{"enum": []Paired{PairedAll, PairedRow, PairedNone}}, "Which points meet the same noise: all, those of a row of the design (the default of sampled designs), or none."),
		"train":  described(ref("budget"), "How much agents that learn train; 1000 episodes by default."),
		"evaluate": described(object{"anyOf": []object{{"enum": []string{"online"}}, closed(object{
			"every":    described(ref("count"), "Episodes of training between evaluations; none in between by default."),
			"episodes": described(ref("count"), "Episodes of each evaluation in between; 20 by default."),
			"final":    described(ref("count"), "Episodes of the final evaluation; 100 by default, 1 for the function environment."),
		})}}, "How agents are judged: in episodes of their own, or online over the one learning run."),
		"objective": described(closed(object{
			"metric":  described(object{"type": "string", "default": "return"}, "A metric that every environment of the study has."),
			"goal":    described(object{"enum": []string{"maximize", "minimize"}}, "maximize by default; minimize where the name says so: regret, violations, a gap, time to something."),
			"summary": object{"enum": summaries(), "default": "mean"},
		}), "What tables and comparisons use."),
		"record":              described(closed(object{"curves": closed(object{"points": ref("count")}, "points")}, "curves"), "What is kept beside metrics: learning curves of at most so many points."),
		"limits":              described(closed(object{"time": object{"type": "string"}, "memory": object{"type": "string"}}), "Bounds of one trial: 10m, 1GB."),
		"stop_after_failures": described(object{"type": "integer", "minimum": 0, "default": 0}, "Stop the study after so many failed trials; 0: never."),
	}
}

func stoppingSchema() object {
	above := object{"type": "number", "exclusiveMinimum": 0}
	until := closed(object{
		"difference_from": described(ref("name"), "The label of an arm: the width is that of the difference from it at the same levels. Without it, that of a point's own summary."),
		"half_width":      above,
		"relative":        above,
	})
	until["oneOf"] = []object{{"required": []string{"half_width"}}, {"required": []string{"relative"}}}
	atLeastTwo := object{"type": "integer", "minimum": 2}
	return closed(object{
		"min":      atLeastTwo,
		"max":      atLeastTwo,
		"check_at": described(object{"type": "array", "minItems": 1, "items": ref("count")}, "The numbers of replications at which a point may stop; about five from min to max by default."),
		"until":    described(until, "Half of the 95 % interval's width, in units of the objective, or relative to the summary."),
	}, "min", "max", "until")
}

func budgetSchema() object {
	o := closed(object{"episodes": ref("count"), "steps": ref("count"), "updates": ref("count")})
	o["minProperties"], o["maxProperties"] = 1, 1
	return o
}

func factorSchema() object {
	levels := object{"anyOf": []object{
		{"type": "array", "minItems": 1, "uniqueItems": true},
		{"type": "object", "minProperties": 1, "description": "Named levels."},
	}}
	numbers := object{"type": "array", "minItems": 2, "maxItems": 2, "items": object{"type": "number"}}
	integers := object{"type": "array", "minItems": 2, "maxItems": 2, "items": object{"type": "integer"}}
	value := map[FactorKind]object{Grid: levels, Choice: levels, Uniform: numbers, LogUniform: numbers, IntUniform: integers, Normal: numbers}
	var kinds []object
	for _, k := range factorKinds() {
		kinds = append(kinds, closed(object{string(k): value[k]}, string(k)))
	}
	return object{"oneOf": kinds, "description": "A value that varies."}
}

func designSchema() object {
	of := object{"type": "array", "minItems": 1, "items": object{"type": "string"}}
	var kinds []object
	for _, k := range designKinds() {
		properties := object{"kind": object{"const": k}, "of": of}
		required := []string{"kind"}
		for _, key := range designKeys(k) {
			switch key {
			case "points":
				properties[key] = described(ref("count"), pointsDoc(k))
				required = append(required, key)
			case "second":
				properties[key] = described(object{"type": "boolean", "default": false}, "Second order as well: 2d + 2 rows a base sample in the place of d + 2.")
			case "levels":
				properties[key] = described(object{"type": "integer", "minimum": 2, "maximum": design.MaxLevels, "multipleOf": 2, "default": design.DefaultLevels}, "Levels of a range's grid.")
			case "rows":
				properties[key] = object{"type": "array", "minItems": 1, "items": object{"type": "object"}}
				required = append(required, key)
			}
		}
		kinds = append(kinds, closed(properties, required...))
	}
	return object{"oneOf": kinds}
}

// entrySchema is the schema of an entry of env or agents: the name decides which
// parameters there are. own are the other keys that are no parameters.
func entrySchema(entries []jsonEntry, own ...string) object {
	names := make([]string, len(entries))
	var cases []object
	for i, e := range entries {
		names[i] = e.name
		then := e.schema.JSONSchema("#/$defs/factor")
		properties, _ := then["properties"].(map[string]any)
		properties["name"] = object{"const": e.name, "description": e.doc}
		for _, key := range own {
			properties[key] = ownKeys()[key]
		}
		cases = append(cases, object{
			"if":   object{"properties": object{"name": object{"const": e.name}}, "required": []string{"name"}},
			"then": then,
		})
	}
	slices.Sort(names)
	o := object{"type": "object", "required": []string{"name"}, "properties": object{"name": object{"enum": names}}}
	if len(cases) > 0 {
		o["allOf"] = cases
	}
	return o
}

func ownKeys() object {
	return object{
		"as":    described(ref("name"), "The label; the name by default."),
		"on":    described(object{"anyOf": []object{ref("name"), {"type": "array", "minItems": 1, "items": ref("name")}}}, "The environments that the arm runs on; all by default."),
		"train": described(ref("budget"), "Instead of the study's."),
	}
}
