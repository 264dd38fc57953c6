package policygradient

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/envs/marketing"
	"overnight/internal/rng"
)

func toSettings(v map[string]any) settings {
	s := settings{}
	for k, x := range v {
		switch x := x.(type) {
		case map[string]any:
			s[k] = toSettings(x)
		case []any:
			if k == "hidden" {
				var l []int
				for _, y := range x {
					l = append(l, int(y.(float64)))
				}
				s[k] = l
			} else {
				var l []float64
				for _, y := range x {
					l = append(l, y.(float64))
				}
				s[k] = l
			}
		case float64:
			if x == float64(int(x)) {
				s[k] = int(x)
			} else {
				s[k] = x
			}
		default:
			s[k] = x
		}
	}
	return s
}

func TestTune(t *testing.T) {
	if os.Getenv("TUNE") == "" {
		t.Skip("TUNE not set")
	}
	var cfg struct {
		Agent    map[string]any
		Env      map[string]any
		Seeds    int
		Episodes int
		Delays   []string
		Sample   bool
	}
	if err := json.Unmarshal([]byte(os.Getenv("TUNE")), &cfg); err != nil {
		t.Fatal(err)
	}
	delays := map[string][]float64{"none": {1}, "notebook": {.5, .3, .15, .05}, "late": {0, 0, 0, 0, 0, 0, 0, 1}}
	for _, d := range cfg.Delays {
		es := settings{"delay": delays[d]}
		for k, v := range toSettings(cfg.Env) {
			es[k] = v
		}
		m, err := marketing.Factory{}.Schema().Complete(tree(es))
		if err != nil {
			t.Fatal(err)
		}
		res := make([]float64, cfg.Seeds)
		raw := make([]float64, cfg.Seeds)
		var wg sync.WaitGroup
		sem := make(chan bool, 2)
		for seed := range cfg.Seeds {
			wg.Add(1)
			go func() {
				defer wg.Done()
				sem <- true
				defer func() { <-sem }()
				env, err := marketing.Factory{}.New(m, nil)
				if err != nil {
					t.Error(err)
					return
				}
				a := newAgent(t, toSettings(cfg.Agent), env.Spec(), uint64(seed))
				p := newPlayer(env, a)
				p.train(uint64(seed), 0, cfg.Episodes)
				mode := agents.Greedy
				if cfg.Sample {
					mode = agents.Sample
				}
				got := p.evaluate(uint64(seed), 200, mode)
				best := oracleReturn(p, uint64(seed), 200)
				res[seed] = got / best
				raw[seed] = got
				if a.(agents.Failing).Err() != nil {
					t.Log(a.(agents.Failing).Err())
				}
			}()
		}
		wg.Wait()
		s, rr := 0.0, 0.0
		for i, v := range res {
			s += v
			rr += raw[i]
		}
		sort.Float64s(res)
		fmt.Printf("%s mean %.4f min %.4f q25 %.4f max %.4f  raw %.6f\n", d, s/float64(len(res)), res[0], res[len(res)/4], res[len(res)-1], rr/float64(len(res)))
	}
}

func oracleReturn(p *player, seed uint64, episodes int) float64 {
	sum := 0.0
	o := p.env.(envs.Oracle)
	env := rng.Root(seed, "env/eval")
	var out envs.Step
	for e := range uint64(episodes) {
		p.env.Reset(env.At(e), &out)
		for out.Done = false; !out.Done; {
			o.Best(&p.action)
			p.env.Step(&p.action, &out)
			sum += out.Reward
		}
	}
	return sum / float64(episodes)
}
