package main
import ("testing";"time";"os")
func TestTmpShares(t *testing.T) {
	if os.Getenv("TMPSHARES")=="" { t.Skip("x") }
	l := newLab(t)
	low, high := l.file("low.yaml", idleStudy("low", 300, 30)), l.file("high.yaml", idleStudy("high", 300, 31))
	l.say("submit", low, "--priority", "1")
	l.say("submit", high, "--priority", "3")
	l.serve("serve", l.start)
	l.workersOf(2, 2)
	s := time.Now()
	for l.committed("high") < 300 { time.Sleep(250*time.Millisecond); w,h,_ := 0,0,0; _=w;_=h; t.Log(time.Since(s).Round(time.Millisecond), l.committed("low"), l.committed("high")) }
}
