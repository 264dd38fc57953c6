// Package poison holds an environment whose trials go wrong in every way that
// tests plant. Start with Factory.
package poison

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Factory makes the environment "poison": one parameter says what happens.
type Factory struct{}

// Params are its parameters.
type Params struct {
	Act     string  `param:"act" default:"fine" enum:"fine,error,nan,panic,exit,loop,memory,slow,once,killed,count" doc:"What a trial does."`
	File    string  `param:"file" default:"" doc:"For once: exits where this file is missing, and makes it. For count: gets a byte an episode."`
	Horizon int     `param:"horizon" default:"10" min:"1" doc:"Steps an episode."`
	X       float64 `param:"x" default:"0" doc:"Anything."`
}

var _ envs.Factory = Factory{}

func (Factory) Name() string         { return "poison" }
func (Factory) Doc() string          { return "Goes wrong on request." }
func (Factory) Schema() param.Schema { return param.Of(Params{}) }

// New makes the environment; act `error` fails here.
func (Factory) New(p *param.Map, _ envs.Env) (envs.Env, error) {
	e := &env{}
	param.Decode(p, &e.Params)
	if e.Act == "error" {
		return nil, errors.New("planted error")
	}
	e.spec = envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: 2}, Horizon: e.Horizon}
	return e, nil
}

type env struct {
	Params
	spec envs.Spec
	s    rng.Stream
	keep [][]byte
}

func (e *env) Spec() *envs.Spec { return &e.spec }

func (e *env) Reset(k rng.Key, out *envs.Step) {
	e.s.Seed(k)
	*out = envs.Step{}
	if e.Act == "count" {
		e.count()
		time.Sleep(2 * time.Millisecond)
	}
}

func (e *env) Step(_ *envs.Action, out *envs.Step) {
	switch e.Act {
	case "nan":
		out.Reward = math.NaN()
	case "panic":
		panic("planted panic")
	case "killed":
		// As the kernel's OOM killer does, or an operator.
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = p.Kill()
		}
		panic(err)
	case "exit":
		fmt.Fprintln(os.Stderr, "planted exit")
		os.Exit(7)
	case "loop":
		for {
			e.X++
		}
	case "memory":
		b := make([]byte, 16<<20)
		for i := range b {
			b[i] = byte(i)
		}
		e.keep = append(e.keep, b)
		out.T = -1
		time.Sleep(time.Millisecond)
		return
	case "slow":
		time.Sleep(5 * time.Millisecond)
	case "once":
		if _, err := os.Stat(e.File); err != nil {
			_ = os.WriteFile(e.File, nil, 0o600)
			os.Exit(9)
		}
	}
	if e.Act != "nan" {
		out.Reward = e.s.Float64() + e.X
	}
	out.T++
	out.Done = out.T == e.Horizon
}

// count adds a byte to the file.
func (e *env) count() {
	f, err := os.OpenFile(e.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	_, err = f.Write([]byte{'.'})
	if err = errors.Join(err, f.Close()); err != nil {
		panic(err)
	}
}

func (e *env) Metrics([]float64) {}
