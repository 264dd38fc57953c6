package figure

import (
	"fmt"
	"math"
)

// timeSamples has tiles, and bars, dots and lines under one replay slider: five
// subject lines, of which the third wins, sent by an A/B test and by a bandit.
func timeSamples() []Figure {
	subjects := []string{"Limited Time Offer!", "You Won't Believe This...", "Exclusive Deal Inside", "Last Chance to Save", "Free Gift Waiting"}
	rates := []float64{.12, .25, .5, .31, .18}
	arms := []string{"ab", "epsilon_greedy"}
	at := []Num{20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000}
	nan := Num(math.NaN())
	sent := func(arm, subject int, n Num) Num { // how many of n sends went to a subject line
		share := Num(.2)
		if won := n / (n + 400); arm == 1 {
			share = .2 * (1 - won)
			if subject == 2 {
				share += won
			}
		}
		return Num(math.Round(float64(n * share)))
	}
	replay := func() *Replay { return &Replay{Label: "after send", At: at} }

	tiles := Figure{ID: "sample-tiles", Title: "Large numbers", Caption: "Epsilon-greedy converts 4,936 of 10,000, 1,436 more than ab.", Note: "Means over 1,000 replications.",
		Panels: []Panel{
			{Name: "drawn", Kind: Tiles, Tiles: []Tile{
				{Label: "sends a run", Value: "10,000", Note: "1,000 replications", Color: -1},
				{Label: "conversions, epsilon_greedy", Value: "4,936", Note: "[4,900, 4,972] a run", Color: 1},
				{Label: "conversions, ab", Value: "3,500", Color: 0},
				{Label: "conversion rate", Value: "49.4 %", Note: "ab 35.0 %", Color: 1},
				{Label: "uplift over ab", Value: "+41.0 %", Note: "+1,436 [+1,404, +1,469] conversions a run, paired", Color: 1},
			}},
			{Name: "close", Kind: Tiles, Tiles: []Tile{{Label: "sends a run", Value: "10,000", Color: -1}, {Label: "stopped at", Value: "never", Note: "no run of 200", Color: 1}}},
		}}

	traffic := Figure{ID: "sample-stacks", Title: "Stacked bars with a replay", Caption: "After 10,000 sends epsilon-greedy has sent 96 % to one subject line.",
		Panels: []Panel{{Name: "side by side", Kind: Bars, X: Axis{Label: "subject line", Categories: subjects}, Y: Axis{Label: "sends"}, Replay: replay()}}}
	for a, arm := range arms {
		yes := Series{Name: arm + ", converted", Color: a, Stack: arm}
		no := Series{Name: arm + ", not converted", Color: a, Stack: arm, Faint: true}
		for _, n := range at {
			var y, f []Num
			for i := range subjects {
				converted := Num(math.Round(float64(sent(a, i, n)) * rates[i]))
				y, f = append(y, converted), append(f, sent(a, i, n)-converted)
			}
			yes.Frames, no.Frames = append(yes.Frames, y), append(no.Frames, f)
			yes.Y, no.Y = y, f
		}
		traffic.Panels[0].Series = append(traffic.Panels[0].Series, yes, no)
	}
	one := traffic.Panels[0]
	one.Name, one.Series = "epsilon_greedy", one.Series[2:]
	traffic.Panels = append(traffic.Panels, one)

	share := Figure{ID: "sample-frames", Title: "Dots with a replay", Caption: "The share follows the rate.",
		Panels: []Panel{{Kind: Scatter, X: Axis{Label: "share of sends", High: 1}, Y: Axis{Label: "empirical conversion rate", High: .6}, Replay: replay()}}}
	for i, subject := range subjects {
		s := Series{Name: subject, Color: i, Text: []string{fmt.Sprintf("%s: true rate %.0f %%", subject, 100*rates[i])}}
		for k, n := range at {
			y := Num(rates[i]) + Num(.2*math.Cos(float64(3*i))/math.Sqrt(float64(k+1)))
			if k == 0 && i == 4 {
				y = nan // not sent
			}
			s.FramesX, s.Frames = append(s.FramesX, []Num{sent(1, i, n) / n}), append(s.Frames, []Num{y})
			s.X, s.Y = s.FramesX[k], s.Frames[k]
		}
		share.Panels[0].Series = append(share.Panels[0].Series, s)
	}

	lines := Figure{ID: "sample-replay", Title: "Lines with a replay", Caption: "After 10,000 sends the bandit is 1,400 conversions ahead.",
		Panels: []Panel{{Kind: Lines, X: Axis{Label: "send"}, Y: Axis{Label: "conversions so far"}, Replay: replay()}}}
	for a, arm := range arms {
		s := Series{Name: arm, Color: a, Dashed: a == 0}
		for x := 10; x <= 10_000; x += 90 {
			y := .27 * float64(x)
			if a == 1 {
				y = .49*float64(x) - 80*(1-math.Exp(-float64(x)/800))
			}
			s.X, s.Y = append(s.X, Num(x)), append(s.Y, Num(y))
			s.Low, s.High = append(s.Low, Num(.95*y)), append(s.High, Num(1.05*y))
		}
		lines.Panels[0].Series = append(lines.Panels[0].Series, s)
	}
	return []Figure{tiles, traffic, share, lines}
}
