package export

import "slices"

// decisionNames are the columns of a decision log whose names are fixed.
var decisionNames = [...]string{"trial", "episode", "step", "action", "action_name", "propensity", "outcome"}

// DecisionColumns types the columns of a decision log, a row for each decision:
//
//	trial, episode, step           which decision
//	the context's                  one each
//	allowed.ACTION                 one each: whether the action could be taken
//	action, action_name            what was taken: its index and its name
//	propensity                     how likely that was; empty where the agent does not know
//	prob.ACTION                    one each: how likely the action was; empty like it
//	outcome                        what the action brought, whenever it was known
//
// A name that is taken has its kind before it once more.
func DecisionColumns(context, actions []string) []Column {
	columns := []Column{{Name: "trial", Type: Integer}, {Name: "episode", Type: Integer}, {Name: "step", Type: Integer}}
	taken := slices.Clone(decisionNames[:])
	add := func(t Type, optional bool, kind, name string) {
		for slices.Contains(taken, name) {
			name = kind + "." + name
		}
		taken = append(taken, name)
		columns = append(columns, Column{Name: name, Type: t, Optional: optional})
	}
	for _, name := range context {
		add(Float, true, "context", name)
	}
	for _, name := range actions {
		add(Boolean, false, "allowed", "allowed."+name)
	}
	columns = append(columns, Column{Name: "action", Type: Integer}, Column{Name: "action_name", Type: String}, Column{Name: "propensity", Type: Float, Optional: true})
	for _, name := range actions {
		add(Float, true, "prob", "prob."+name)
	}
	return append(columns, Column{Name: "outcome", Type: Float, Optional: true})
}
