package policygradient

import (
	"fmt"

	"overnight/internal/param"
)

// Params are the parameters of reinforce.
type Params struct {
	LearningRate float64 `param:"learning_rate" default:"0.001" faithful:"0.01" above:"0" doc:"Step size of the optimizer."`
	Batch        int     `param:"batch" default:"16" faithful:"1" min:"1" max:"10000" unit:"episodes" doc:"Episodes an update is made of."`
	Gamma        float64 `param:"gamma" default:"0.99" min:"0" max:"1" doc:"Discount of later rewards in the returns-to-go. credit: own has nothing to discount."`
	Credit       string  `param:"credit" default:"to_go" enum:"to_go,own" doc:"What an action is judged by. to_go: the rewards from its day on. own: what it will bring in all, before it lands and without what others bring: an attribution that no marketer has, here to show what it would be worth."`
	Advantage    string  `param:"advantage" default:"day" faithful:"episode" enum:"day,batch,episode,none" doc:"What is subtracted from credits before they weigh log-probabilities. day: the mean of the same day over the batch, which takes out what the day alone explains. batch, episode: the mean over all of it. These three are then divided by the standard deviation (+ 1e-5) of what remains. none: nothing is done."`

	Head       string `param:"head" default:"softmax_gaussian" faithful:"gaussian_clipped" enum:"softmax_gaussian,gaussian_clipped" doc:"How outputs become actions. softmax_gaussian: normal logits, of which the environment gets the softmax, so shares sum to 1 and no spend cap can be broken. gaussian_clipped: normals around sigmoid outputs, clipped to [0, 1]."`
	LogProb    string `param:"log_prob" default:"raw" faithful:"clipped" enum:"raw,clipped" doc:"Which action gaussian_clipped takes log-probabilities of: the one drawn, or the clipped one, whose score has no zero mean."`
	Hidden     []int  `param:"hidden" default:"[64, 32]" min:"1" max:"4096" len:"0..8" doc:"Widths of the hidden layers."`
	Activation string `param:"activation" default:"relu" enum:"relu,tanh" doc:"Activation of the hidden layers."`
	Precision  string `param:"precision" default:"float32" enum:"float32,float64" doc:"What the network computes in."`
	LogStd     struct {
		Init float64 `param:"init" default:"-0.5" min:"-20" max:"5" doc:"Logarithm of the initial standard deviation of every normal."`
		Mode string  `param:"mode" default:"fixed" faithful:"trained" enum:"fixed,trained,clamped" doc:"fixed: it stays. trained: the loss moves it, in some runs without bound. clamped: trained, and kept within low and high."`
		Low  float64 `param:"low" default:"-3" min:"-20" max:"5" doc:"Lower bound of clamped."`
		High float64 `param:"high" default:"0.5" min:"-20" max:"5" doc:"Upper bound of clamped."`
	} `param:"log_std" doc:"The spread of actions in training."`
	EntropyWeight float64 `param:"entropy_weight" default:"0.01" min:"0" doc:"Weight of the entropy of the normals in the loss. Where log_std is fixed it changes nothing."`

	Optimizer string  `param:"optimizer" default:"adam" enum:"adam,sgd" doc:"adam: Kingma and Ba (2015) as in PyTorch. sgd: plain steps against the gradient."`
	Beta1     float64 `param:"beta1" default:"0.9" min:"0" below:"1" doc:"Decay rate of adam's first moment."`
	Beta2     float64 `param:"beta2" default:"0.999" min:"0" below:"1" doc:"Decay rate of adam's second moment."`
	Epsilon   float64 `param:"epsilon" default:"1e-8" min:"0" doc:"Added to the root of adam's second moment."`
	GradClip  float64 `param:"grad_clip" default:"0" min:"0" doc:"Longest gradient, by Euclidean norm over all parameters; longer ones are scaled down. 0: no limit."`

	Faithful bool `param:"faithful" default:"false" doc:"Preset the notebook's loop: learning_rate, batch, advantage, head, log_prob and log_std.mode as it has them; the other defaults are the notebook's anyway."`
}

// check finds parameters that don't fit each other.
func (p *Params) check() error {
	switch {
	case p.LogProb == "clipped" && p.Head != "gaussian_clipped":
		return &param.Error{Path: "log_prob", What: "is clipped, but head " + p.Head + " clips nothing",
			Instead: "write log_prob: raw, or head: gaussian_clipped"}
	case p.LogStd.Mode == "clamped" && p.LogStd.Low > p.LogStd.High:
		return &param.Error{Path: "log_std.low", What: fmt.Sprintf("is %v, above log_std.high, which is %v", p.LogStd.Low, p.LogStd.High),
			Instead: "write the smaller number as low"}
	case p.Advantage == "day" && p.Batch == 1:
		return &param.Error{Path: "advantage", What: "is day with batch: 1, so every credit is its own mean and nothing is learned",
			Instead: "write batch: 16, or advantage: episode"}
	}
	return nil
}
