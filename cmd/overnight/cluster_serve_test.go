package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"overnight/jobs/asynqqueue"
)

// fetch returns what an address answers with 200.
func (l *lab) fetch(url string) string {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		l.t.Fatalf("%s: %s, %v\n%s", url, answer.Status, err, body)
	}
	return string(body)
}

// metric returns the sum of a metric's samples.
func metric(t *testing.T, text, name string) (sum float64) {
	t.Helper()
	found := regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? (\S+)$`).FindAllStringSubmatch(text, -1)
	if found == nil {
		t.Fatalf("no metric %s in\n%s", name, text)
	}
	for _, m := range found {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}

// TestService holds that `serve` runs two submitted studies at once by their
// priorities, that their digests are those of `run` on one machine, and that the
// API, the probes and the metrics answer.
func TestService(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const trials = 700
	low, high := l.file("low.yaml", idleStudy("low", trials, 30)), l.file("high.yaml", idleStudy("high", trials, 31))
	want := map[string]string{"low": l.alone(low), "high": l.alone(high)}
	if out := l.say("submit", low, "--priority", "1"); !strings.Contains(out, "low is submitted: 700 trials, 0 committed") {
		t.Errorf("submit says\n%s", out)
	}
	l.say("submit", high, "--priority", "3")
	if st := l.status("low"); st.State != "waits for workers" || st.Workers != 0 {
		t.Errorf("a submitted study without workers: %+v", st)
	}
	_, api, probes := l.serve("serve", l.start)
	l.workersOf(2, 4)

	// Whose costs are known first may be ahead by what the queue holds, 6 core
	// seconds: 200 trials.
	var had uint64
	l.await("end of high", 40*time.Second, func() bool {
		had = l.committed("low")
		return l.committed("high") == trials
	})
	t.Logf("when all %d trials of priority 3 had ended, %d of priority 1 had: a share of %.2f, asked for 3", trials, had, trials/float64(max(had, 1)))
	if had > 530 {
		t.Errorf("%d trials of priority 1 had ended when %d of priority 3 had: the shares are not kept", had, trials)
	}
	for study, digest := range want {
		if got := l.finished(study, 40*time.Second); got != digest {
			t.Errorf("%s: digest %s by the service, %s by run", study, got, digest)
		}
		if got := strings.TrimSpace(l.say("digest", study)); got != digest {
			t.Errorf("%s: overnight digest prints %s, want %s", study, got, digest)
		}
		if n := l.attempts(study); n["1"] != trials || len(n) != 1 {
			t.Errorf("%s: attempts %v", study, n)
		}
	}

	var list struct{ Studies []standing }
	text := l.fetch("http://" + api + "/api/v1/studies")
	fromJSON(t, text, &list)
	if len(list.Studies) != 2 {
		t.Errorf("the API lists\n%s", text)
	}
	for _, st := range list.Studies {
		if st.Digest != want[st.Study] || st.Committed != trials || st.State != "finished" {
			t.Errorf("the API says %+v", st)
		}
	}
	if out := l.say("health", probes); out != "alive\n" {
		t.Errorf("health says %q", out)
	}
	if out := l.say("health", probes, "--ready"); !strings.Contains(out, "leader") {
		t.Errorf("health --ready says %q", out)
	}
	if _, errs, code := l.try("health", hostPort(t)); code != exitEngine || !strings.Contains(errs, "nobody answers") {
		t.Errorf("health where nobody listens: exit code %d\n%s", code, errs)
	}
	l.await("committed trials in the metrics", 10*time.Second, func() bool {
		return metric(t, l.fetch("http://"+probes+"/metrics"), "overnight_trials_committed_total") == 2*trials
	})
	if text := l.fetch("http://" + probes + "/metrics"); metric(t, text, "overnight_trials_pending") != 0 || metric(t, text, "overnight_leader") != 1 {
		t.Errorf("metrics after the end:\n%s", text)
	}
}

// TestCancelReaches measures how long after `overnight cancel` the workers have
// dropped trials that would run for a minute, and after when `overnight workers`
// says so.
func TestCancelReaches(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	long := l.file("long.yaml", `study: long
env: {name: faulty, idle: {grid: [0, 60000]}}
agents: [{name: random}]
replications: 20
evaluate: {final: 1}
`)
	l.serve("serve", l.start)
	l.workersOf(2, 2)
	q, err := asynqqueue.New(t.Context(), l.rdb, asynqqueue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	held := func() int {
		n := 0
		for _, w := range l.fleet() {
			n += w.Jobs
		}
		return n
	}
	for round := range 2 {
		l.say("submit", long)
		l.await("trials in hand", 20*time.Second, func() bool { return held() == 4 })
		ordered := time.Now()
		l.say("cancel", "long")
		returned := time.Now()
		dropped := l.measure("end of the jobs in hand", ordered, 20*time.Second, func(ctx context.Context) bool {
			_, n, err := q.Pending(ctx)
			return err == nil && n == 0
		})
		shown := l.measure("workers without jobs", returned, 20*time.Second, func(context.Context) bool { return held() == 0 })
		t.Logf("round %d: cancel took %v; jobs dropped %v after the order was typed; workers show no job %v after it returned", round, returned.Sub(ordered).Round(time.Millisecond), dropped.Round(time.Millisecond), shown.Round(time.Millisecond))
		if dropped > 2*time.Second || shown > 2*time.Second {
			t.Errorf("after cancel the workers had dropped their jobs in %v, and said so in %v; promised are 2 s", dropped, shown)
		}
	}
	if n := l.committed("long"); n > 20 {
		t.Errorf("%d records, where 20 trials at most can have ended", n)
	}
}

// TestPauseReaches holds that no trial ends more than 2 s after `overnight pause`,
// and that the study goes on and ends well after `overnight resume`.
func TestPauseReaches(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	file := l.file("rests.yaml", idleStudy("rests", 160, 60))
	want := l.alone(file)
	l.say("submit", file)
	l.serve("serve", l.start)
	l.workersOf(2, 2)
	l.await("first records", 20*time.Second, func() bool { return l.committed("rests") >= 20 })
	l.say("pause", "rests")
	paused := time.Now()
	last, n := paused, l.committed("rests")
	for time.Since(paused) < 3*time.Second { // that nothing comes has no signal
		if m := l.committed("rests"); m != n {
			last, n = time.Now(), m
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("the last record came %v after pause returned, with %d of 160", last.Sub(paused).Round(time.Millisecond), n)
	if d := last.Sub(paused); d > 2*time.Second || n == 160 {
		t.Errorf("a record came %v after the pause, %d of 160 are there", d, n)
	}
	if st := l.status("rests"); st.State != "paused" {
		t.Errorf("status says %s", st.State)
	}
	l.say("resume", "rests")
	took := l.measure("record after resume", time.Now(), 10*time.Second, func(context.Context) bool { return l.committed("rests") > n })
	t.Logf("the next record came %v after resume returned", took.Round(time.Millisecond))
	if got := l.finished("rests", 40*time.Second); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	if n := l.attempts("rests"); n["1"] != 160 {
		t.Errorf("attempts %v", n)
	}
}

// TestLeaderDies holds that a replica of the service takes over when the leader is
// killed, and that the study ends with its digest.
func TestLeaderDies(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	file := l.file("outlives.yaml", idleStudy("outlives", 240, 40))
	want := l.alone(file)
	l.say("submit", file)
	leader, _, _ := l.serve("first", l.start)
	l.logged("first", `(leading)`, 10*time.Second)
	_, _, probes := l.serve("second", l.start)
	l.logged("second", `(standing by)`, 10*time.Second)
	if out := l.say("health", probes, "--ready"); !strings.Contains(out, "standby") {
		t.Errorf("the second replica is ready as %q", out)
	}
	l.workersOf(2, 2)
	l.await("first records", 20*time.Second, func() bool { return l.committed("outlives") >= 30 })
	leader.Signal(syscall.SIGKILL)
	killed := time.Now()
	had := l.committed("outlives")
	l.logged("second", `(leading)`, 30*time.Second)
	t.Logf("kill -9 of the leader at %d of 240 trials; the other one leads after %v", had, time.Since(killed).Round(10*time.Millisecond))
	if d := time.Since(killed); d > 15*time.Second {
		t.Errorf("the other replica leads after %v", d)
	}
	if got := l.finished("outlives", 40*time.Second); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	t.Logf("the study ended %v after the kill", time.Since(killed).Round(10*time.Millisecond))
	if n := l.attempts("outlives"); n["1"] != 240 {
		t.Errorf("attempts %v", n)
	}
}
