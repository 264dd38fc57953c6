package jobs

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// aJob is a valid job that tests spoil.
func aJob() Job {
	return Job{
		ID: "delay-volatility.g3.0000000042.e1", Engine: 1, Study: "delay-volatility", Generation: 3, Epoch: 1,
		Trials: []Range{{0, 128}, {200, 201}, {201, 300}, {1_000_000_000, 1_000_000_007}},
	}
}

func TestJobRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Job{
			ID:         rapid.StringMatching(`[!-~]{1,100}`).Draw(t, "id"),
			Engine:     rapid.IntRange(1, math.MaxInt32).Draw(t, "engine"),
			Study:      rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}(@[1-9][0-9]{1,8})?`).Draw(t, "study"),
			Generation: rapid.Uint32().Draw(t, "generation"),
			Epoch:      rapid.Uint32().Draw(t, "epoch"),
		}
		var to uint64
		for range rapid.IntRange(1, 35).Draw(t, "ranges") {
			from := to + rapid.Uint64Range(0, (math.MaxUint64-to)/2).Draw(t, "gap")
			if from == math.MaxUint64 {
				break
			}
			to = from + rapid.Uint64Range(1, max(1, (math.MaxUint64-from)/2)).Draw(t, "length")
			want.Trials = append(want.Trials, Range{from, to})
		}
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > MaxJobBytes {
			t.Fatalf("%d bytes, want at most %d", len(b), MaxJobBytes)
		}
		got, err := DecodeJob(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

// The file holds encodings that builds of version 1 have written: they must stay
// readable, and this build must write the same.
func TestJobGolden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/job_v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Hex string
		Job Job
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 3 {
		t.Fatalf("%d vectors, want at least 3", len(vectors))
	}
	for _, v := range vectors {
		want, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.Job.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: encoded to\n%x, want\n%x", v.Job.ID, got, want)
		}
		job, err := DecodeJob(want)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(v.Job, job); d != "" {
			t.Error(d)
		}
	}
}

func TestJobEncodeRefuses(t *testing.T) {
	t.Parallel()
	many := make([]Range, 1000)
	for i := range many {
		many[i] = Range{uint64(i) * 10, uint64(i)*10 + 1}
	}
	for _, tt := range []struct {
		name  string
		spoil func(*Job)
		want  string
	}{
		{"no engine", func(j *Job) { j.Engine = 0 }, "engine 0"},
		{"negative engine", func(j *Job) { j.Engine = -1 }, "engine -1"},
		{"no study", func(j *Job) { j.Study = "" }, "study"},
		{"path as study", func(j *Job) { j.Study = "../x" }, "study"},
		{"newline in study", func(j *Job) { j.Study = "a\nb" }, "study"},
		{"space in study", func(j *Job) { j.Study = "a b" }, "study"},
		{"study is not UTF-8", func(j *Job) { j.Study = "a\xff" }, "study"},
		{"study with version 1", func(j *Job) { j.Study = "a@1" }, "study"},
		{"study with version 02", func(j *Job) { j.Study = "a@02" }, "study"},
		{"study without version", func(j *Job) { j.Study = "a@" }, "study"},
		{"long study", func(j *Job) { j.Study = strings.Repeat("a", 65) }, "study"},
		{"no id", func(j *Job) { j.ID = "" }, "id"},
		{"newline in id", func(j *Job) { j.ID = "a\r\nb" }, "id"},
		{"long id", func(j *Job) { j.ID = strings.Repeat("a", 101) }, "id"},
		{"no trials", func(j *Job) { j.Trials = nil }, "no trials"},
		{"empty range", func(j *Job) { j.Trials = []Range{{5, 5}} }, "[5, 5) is empty"},
		{"backward range", func(j *Job) { j.Trials = []Range{{5, 4}} }, "[5, 4) is empty"},
		{"overlap", func(j *Job) { j.Trials = []Range{{0, 5}, {4, 9}} }, "[4, 9) begins before"},
		{"descending", func(j *Job) { j.Trials = []Range{{5, 9}, {0, 5}} }, "[0, 5) begins before"},
		{"too many ranges", func(j *Job) { j.Trials = many }, "split the job"},
	} {
		j := aJob()
		tt.spoil(&j)
		b, err := j.Encode()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: encoded to %x, error %v, want an error about %q", tt.name, b, err, tt.want)
		}
	}
}

func TestDecodeJobRefuses(t *testing.T) {
	t.Parallel()
	// seal puts a right checksum under spoiled bytes, so that the check behind it
	// is reached.
	seal := func(b []byte) []byte {
		n := len(b) - jobChecksum
		sum := checksum(b[:n])
		return append(b[:n:n], byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
	}
	small := Job{ID: "i", Engine: 1, Study: "s", Trials: []Range{{0, 9}}}
	valid, err := small.Encode() // magic 0-3, engine 4, generation 5, epoch 6, study 7-8, id 9-10, count 11, gap 12, length 13
	if err != nil {
		t.Fatal(err)
	}
	with := func(at int, put ...byte) []byte {
		return seal(append(append(append([]byte{}, valid[:at]...), put...), valid[at+1:]...))
	}
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1} // 2^64-1
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "not a job"},
		{"text", []byte("rm -rf everything"), "not a job"},
		{"oversized", make([]byte, MaxJobBytes+1), "longer than 1024"},
		{"next version", with(3, 2), "version 2"},
		{"engine 0", with(4, 0), "engine 0"},
		{"large engine", with(4, 0x80, 0x80, 0x80, 0x80, 0x08), "engine"},
		{"generation overflows", with(5, 0x80, 0x80, 0x80, 0x80, 0x10), "generation"},
		{"epoch overflows", with(6, 0x80, 0x80, 0x80, 0x80, 0x10), "epoch"},
		{"long form of an integer", with(5, 0x80, 0), "shortest form"},
		{"integer beyond 64 bits", with(12, append(huge[:9:9], 2)...), "too large"},
		{"slash in study", with(8, '/'), "study"},
		{"study beyond the end", with(7, 200), "study is cut off"},
		{"space in id", with(10, ' '), "id"},
		{"no ranges", seal(append(append([]byte{}, valid[:11]...), 0, 0, 0, 0, 0)), "no trials"},
		{"fewer ranges than said", with(11, 2), "number of ranges"},
		{"bytes left over", with(13, 9, 9), "left over"},
		{"empty range", with(13, 0), "is empty"},
		{"range overflows", with(12, huge...), "length of a range"},
		{"flipped bit", append(append([]byte{}, valid[:12]...), append([]byte{1}, valid[13:]...)...), "checksum"},
	} {
		j, err := DecodeJob(tt.b)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %x read as %+v, error %v, want an error about %q", tt.name, tt.b, j, err, tt.want)
		}
	}
	for n := range valid {
		if j, err := DecodeJob(valid[:n]); err == nil {
			t.Errorf("cut off at %d: read as %+v", n, j)
		}
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		gap, length uint64
		n           int
		least       int
	}{
		{"close together", 3, 100, 360, 360},
		{"scattered", 1_000_000, 1, 1000, 150},
		{"far apart", math.MaxUint64 / 41, math.MaxUint64 / 4100, 40, 35},
		{"all fit", 1, 1, 5, 5},
	} {
		ranges := make([]Range, tt.n)
		var to uint64
		for i := range ranges {
			ranges[i] = Range{to + tt.gap, to + tt.gap + tt.length}
			to = ranges[i].To
		}
		n := Fit(ranges)
		if n < tt.least {
			t.Errorf("%s: %d of %d fit, want at least %d", tt.name, n, tt.n, tt.least)
		}
		j := Job{ID: strings.Repeat("i", 100), Engine: math.MaxInt32, Study: strings.Repeat("s", 64) + "@4294967295",
			Generation: math.MaxUint32, Epoch: math.MaxUint32, Trials: ranges[:n]}
		b, err := j.Encode()
		if err != nil || len(b) > MaxJobBytes {
			t.Errorf("%s: Fit allows %d ranges, encoded to %d bytes, error %v", tt.name, n, len(b), err)
		}
	}
}

func FuzzDecodeJob(f *testing.F) {
	for _, j := range []Job{aJob(), {ID: "i", Engine: 1, Study: "s", Trials: []Range{{0, math.MaxUint64}}}} {
		b, err := j.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(jobMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Beside b itself, b as the body under a right checksum: random bytes would
		// seldom get past it.
		body := append([]byte(jobMagic), b...)
		sum := checksum(body)
		sealed := append(body, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
		for _, b := range [][]byte{b, sealed} {
			j, err := DecodeJob(b)
			if err != nil {
				continue
			}
			if j.Len() == 0 || len(j.Trials) > MaxJobBytes/2 {
				t.Fatalf("read %d ranges, %d trials", len(j.Trials), j.Len())
			}
			again, err := j.Encode()
			if err != nil {
				t.Fatalf("%+v was read but can't be written: %v", j, err)
			}
			if !bytes.Equal(again, b) {
				t.Fatalf("read %x, wrote %x", b, again)
			}
		}
	})
}

func BenchmarkJobCodec(b *testing.B) {
	j := aJob()
	for b.Loop() {
		enc, err := j.Encode()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := DecodeJob(enc); err != nil {
			b.Fatal(err)
		}
	}
}
