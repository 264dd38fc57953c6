package param_test

import (
	"testing"

	"overnight/internal/param"
)

func TestOfPanics(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"nil":       nil,
		"no struct": 3,
		"no tag":    struct{ A int }{},
		"not exported": struct {
			a int `param:"a" default:"1"`
		}{},
		"type": struct {
			A int32 `param:"a" default:"1"`
		}{},
		"no default": struct {
			A int `param:"a"`
		}{},
		"null default": struct {
			A int `param:"a" default:"null"`
		}{},
		"wrong default": struct {
			A int `param:"a" default:"1.5"`
		}{},
		"out of range": struct {
			A int `param:"a" default:"1" min:"2"`
		}{},
		"faithful": struct {
			A int `param:"a" default:"1" faithful:"x"`
		}{},
		"range": struct {
			A int `param:"a" default:"1" min:"x"`
		}{},
		"range of text": struct {
			A string `param:"a" min:"1"`
		}{},
		"enum of number": struct {
			A int `param:"a" default:"1" enum:"1,2"`
		}{},
		"not in enum": struct {
			A string `param:"a" default:"c" enum:"a,b"`
		}{},
		"len": struct {
			A []int `param:"a" len:"2..1"`
		}{},
		"len of number": struct {
			A int `param:"a" default:"1" len:"2"`
		}{},
		"open list": struct {
			A []int `param:"a" default:"[1, 2"`
		}{},
		"rest": struct {
			A []int `param:"a" default:"[1] 2"`
		}{},
		"open quote": struct {
			A []string `param:"a" default:"[\"a]"`
		}{},
		"twice": struct {
			A int `param:"a" default:"1"`
			B int `param:"a" default:"1"`
		}{},
		"pointer to text": struct {
			A *string `param:"a"`
		}{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			param.Of(v)
		}()
	}
}
