package browser

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// serve runs a study with its dashboard, which stays after the study's end, and
// returns its address and what ends it.
func serve(t *testing.T, dir, study string, args ...string) (url string, stop func()) {
	t.Helper()
	store := filepath.Join(dir, "dashboard-"+filepath.Base(study))
	cmd := exec.Command(build(t, dir), append([]string{"run", study, "--store", store, "--ui", "--ui-stay"}, args...)...)
	cmd.Dir = "../.."
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()
	}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/\S*`)
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if url = address.FindString(lines.Text()); url != "" {
			go func() {
				for lines.Scan() { // so that a full pipe stops nothing
				}
			}()
			return url, stop
		}
	}
	stop()
	t.Fatal("run --ui printed no address")
	return "", nil
}

func openDashboard(t *testing.T, dir string) (string, func()) {
	return serve(t, dir, "examples/quickstart.yaml")
}

// dashboard is a page of the service: it may ask for what the service has.
func dashboard(url string) page {
	origin := url[:strings.Index(url, "/studies")]
	return page{name: "running", requests: func(u string) bool { return strings.HasPrefix(u, origin) }, ready: `!document.querySelector("#pause").hidden`}
}

// TestOrders gives every order of the dashboard to a study under way, by the
// mouse: leaving a question changes nothing, answering it does.
func TestOrders(t *testing.T) {
	url, stop := serve(t, t.TempDir(), "examples/delay-volatility.yaml", "--slots", "1")
	t.Cleanup(stop) // after the window is closed
	p := dashboard(url)
	b := show(t, p, url, 1280, 900, false)
	until := func(what, script string) {
		t.Helper()
		if !get(b, chromedp.Poll[bool](script, chromedp.WithPollingTimeout(20*time.Second))) {
			t.Fatalf("%s never came", what)
		}
	}
	click := func(selector string) {
		t.Helper()
		at := eval[[2]float64](b, fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.scrollIntoView({ block: "center", behavior: "instant" }); const r = e.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`, quote(selector)))
		b.do(chromedp.MouseClickXY(at[0], at[1]))
	}
	state := func(word string) string {
		return fmt.Sprintf(`document.querySelector("#state").textContent.trim() === %s`, quote(word))
	}
	until("the study under way", state("running"))
	until("an interval of an arm", `!!document.querySelector("#fig-live-intervals canvas")`)
	until("a learning curve", `!!document.querySelector("#fig-live-curves canvas")`)
	until("a heat map", `!!document.querySelector("#fig-live-map canvas")`)

	b.scroll()
	b.save("wide", chromedp.CaptureScreenshot())

	click("#pause")
	until("the question", `document.querySelector("#ask").open`)
	click(`#ask button[value="no"]`)
	until("the question's end", `!document.querySelector("#ask").open`)
	if !eval[bool](b, state("running")) {
		t.Error("leaving the question changed the study")
	}
	for _, o := range []struct{ button, state string }{{"#pause", "paused"}, {"#resume", "running"}, {"#cancel", "cancelled"}} {
		until(o.button, fmt.Sprintf(`!document.querySelector(%s).hidden`, quote(o.button)))
		click(o.button)
		until("the question of "+o.button, `document.querySelector("#ask").open`)
		click("#ask-yes")
		until("state "+o.state, state(o.state))
	}
	follow := func(selector string) {
		t.Helper()
		b.do(chromedp.Navigate(eval[string](b, fmt.Sprintf(`document.querySelector(%s).href`, quote(selector)))))
	}
	follow(".brand a")
	until("the list", `!!document.querySelector("#list a")`)
	follow("#list a")
	until("the study's page again", state("cancelled"))
}

// TestLiveTiles: the dashboard of a bandits' study shows the campaign in numbers.
func TestLiveTiles(t *testing.T) {
	url, stop := serve(t, t.TempDir(), "examples/email-ab.yaml")
	t.Cleanup(stop)
	p := dashboard(url)
	p.name, p.ready = "live-campaign", `document.querySelectorAll("#fig-live-campaign .figure-tile").length >= 5`
	b := show(t, p, url, 1280, 900, false)
	text := `[...document.querySelectorAll("#fig-live-campaign .figure-tile")].map((e) => e.innerText.replace(/\s+/g, " ")).join("; ")`
	if got := eval[string](b, text); !strings.HasPrefix(got, "sends a run 10,000 ") || !strings.Contains(got, "conversions more than ab +1,") {
		t.Errorf("the tiles say %q", got)
	}
	if get(b, chromedp.Poll[bool](`document.querySelector("#state").textContent.trim() === "finished"`, chromedp.WithPollingTimeout(60*time.Second))) {
		b.save("wide", chromedp.CaptureScreenshot())
	}
}
