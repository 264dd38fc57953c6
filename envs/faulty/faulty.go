// Package faulty is an environment that goes wrong on request: it shows how a
// runner takes panics, deaths of processes, endless loops and hunger for memory,
// and `overnight chaos` plants them. Start with Factory and its parameters.
package faulty

import (
	"errors"
	"fmt"
	"os"
	"time"

	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Params are the parameters of the environment.
type Params struct {
	Fault string  `param:"fault" default:"none" enum:"none,error,panic,exit,loop,memory" doc:"What the first step does: error and panic fail the trial; exit ends its process, loop never ends and memory takes ever more, so that they need a worker or run --isolate, and limits."`
	Idle  float64 `param:"idle" default:"0" min:"0" max:"86400000" unit:"ms" doc:"How long a step waits without work for a core. The result does not depend on it."`
	X     float64 `param:"x" default:"0" doc:"The reward's mean, so that there can be many points."`
}

// Factory makes the environment. The zero Factory is ready for use.
type Factory struct{}

var _ envs.Factory = Factory{}

// Name returns "faulty".
func (Factory) Name() string { return "faulty" }

// Doc describes the environment.
func (Factory) Doc() string {
	return "One step that goes wrong as asked, whatever the agent does, to see how a worker takes it. " +
		"Without a fault the reward is x plus a standard normal number."
}

// Schema returns the parameters.
func (Factory) Schema() param.Schema { return param.Of(Params{}) }

// New returns the environment; with fault error it fails.
func (Factory) New(p *param.Map, reuse envs.Env) (envs.Env, error) {
	e, ok := reuse.(*Env)
	if !ok {
		e = &Env{spec: envs.Spec{
			Action:  envs.Actions{Kind: envs.Discrete, N: 1, Names: []string{"step"}},
			Horizon: 1,
		}}
	}
	param.Decode(p, &e.params)
	if e.params.Fault == "error" {
		return nil, errors.New("fault: error was asked for")
	}
	return e, nil
}

// Env is the environment. Start with Factory.New.
type Env struct {
	spec    envs.Spec
	params  Params
	episode rng.Key
	noise   rng.Stream
}

var _ envs.Env = (*Env)(nil)

// Spec returns one action, one step and no observation.
func (e *Env) Spec() *envs.Spec { return &e.spec }

// Reset begins an episode.
func (e *Env) Reset(episode rng.Key, out *envs.Step) {
	e.episode = episode
	*out = envs.Step{Obs: out.Obs[:0], Credits: out.Credits[:0]}
}

// Step goes wrong, or ends the episode.
func (e *Env) Step(_ *envs.Action, out *envs.Step) {
	switch e.params.Fault {
	case "panic":
		panic("fault: panic was asked for")
	case "exit":
		fmt.Fprintln(os.Stderr, "fault: exit was asked for")
		os.Exit(7)
	case "loop":
		for {
			time.Sleep(10 * time.Millisecond) // endless, without a core's work
		}
	case "memory":
		devour()
	}
	if e.params.Idle > 0 {
		time.Sleep(time.Duration(e.params.Idle * float64(time.Millisecond)))
	}
	e.noise.Seed(e.episode)
	*out = envs.Step{T: 1, Obs: out.Obs[:0], Credits: out.Credits[:0], Reward: e.params.X + e.noise.Normal(), Done: true}
}

// devour takes 8 MB a step, 200 times a second, and never returns.
func devour() {
	var all [][]byte
	for {
		b := make([]byte, 8<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
		time.Sleep(5 * time.Millisecond)
		if len(all) == 1<<20 { // 8 TB
			return
		}
	}
}

// Metrics writes nothing: the return is the value.
func (e *Env) Metrics([]float64) {}
