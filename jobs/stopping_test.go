package jobs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stopping string
		want     []uint64
	}{
		{"{min: 20, max: 100, until: {half_width: 1}}", []uint64{20, 30, 45, 68, 100}},
		{"{min: 20, max: 200, until: {half_width: 1}}", []uint64{20, 30, 45, 68, 102, 153, 200}},
		{"{min: 2, max: 3, until: {half_width: 1}}", []uint64{2, 3}},
		{"{min: 7, max: 7, until: {half_width: 1}}", []uint64{7}},
		{"{min: 7, max: 7, check_at: [7], until: {half_width: 1}}", []uint64{7}},
		{"{min: 20, max: 100, check_at: [30, 50], until: {half_width: 1}}", []uint64{20, 30, 50, 100}},
		{"{min: 20, max: 100, check_at: [20, 30, 50, 100], until: {half_width: 1}}", []uint64{20, 30, 50, 100}},
	} {
		s := parseText(t, "study: s\nenv: {name: function}\nagents: [{name: random}]\nreplications: "+c.stopping+"\n")
		if diff := cmp.Diff(c.want, s.Stages()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.stopping, diff)
		}
		if again := roundTrip(t, s); !cmp.Equal(again.Stages(), s.Stages()) {
			t.Errorf("%s: decoded, its stages are %v", c.stopping, again.Stages())
		}
	}
	plain := parseText(t, "study: s\nenv: {name: function}\nagents: [{name: random}]\nreplications: 9\n")
	if got := plain.Stages(); !cmp.Equal(got, []uint64{9}) || plain.Ruled() {
		t.Errorf("a plain study has stages %v, ruled: %v", got, plain.Ruled())
	}
}

// TestRuleKeepsIdentity: when to stop and what to confirm changes no result, so
// that the study goes on from what it has.
func TestRuleKeepsIdentity(t *testing.T) {
	t.Parallel()
	const text = "study: s\nenv: {name: function}\nagents: [{name: random}]\n"
	want := parseText(t, text).Identity()
	for _, more := range []string{
		"replications: {min: 20, max: 100, until: {half_width: 1}}\n",
		"replications: {min: 5, max: 50, until: {relative: 0.1}}\nconfirm: {top: 1, replications: 5}\n",
		"replications: 4\nconfirm: {top: 1, replications: 5}\n",
	} {
		if got := parseText(t, text+more).Identity(); got != want {
			t.Errorf("%s: identity %s, want %s", more, got, want)
		}
	}
}

// TestDecodeRefusesRules changes a sound rule in one place each time.
func TestDecodeRefusesRules(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(filepath.Join("testdata", "plan_v1", "stopping.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeStudy(body, testCatalog()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"check_at":[20,`, `"check_at":[1,`, "from 1 replications"},
		{`"check_at":[20,30`, `"check_at":[20,20`, "ascend"},
		{`,68]`, `,100]`, "after 100 of 100"},
		{`,68]`, `,101]`, "after 101 of 100"},
		{`[20,30,45,68]`, `[]`, "0 stages"},
		{`[20,30,45,68]`, `[` + strings.Repeat("2,", MaxStages) + `3]`, "65 stages"},
		{`"half_width":0.005`, `"half_width":-0.005`, "half-width"},
		{`"half_width":0.005`, `"half_width":0.005,"relative":0.1`, "half-width"},
		{`,"half_width":0.005`, ``, "half-width"},
		{`"difference_from":"random"`, `"difference_from":"nobody"`, "no arm"},
		{`"of":["two"]`, `"of":[]`, "no arm"},
		{`"of":["two"]`, `"of":["random"]`, `arm "random"`},
		{`"of":["two"]`, `"of":["two","two"]`, `arm "two"`},
		{`"of":["two"]`, `"of":["three"]`, `arm "three"`},
		{`"top":2`, `"top":0`, "top 0"},
		{`"top":2,"replications":30`, `"top":2,"replications":9007199254740992`, "confirmation"},
		{`"replications":30`, `"replications":9007199254740000`, "2^53 trials"},
	} {
		changed := bytes.Replace(body, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(changed, body) {
			t.Errorf("%s does not occur", c.old)
			continue
		}
		if _, err := DecodeStudy(changed, testCatalog()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: DecodeStudy gave %v, want an error with %q", c.new, err, c.want)
		}
	}
}
