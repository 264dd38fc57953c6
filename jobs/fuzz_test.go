package jobs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse checks that no text makes Parse panic or take long, that whatever is
// refused has its place, and that whatever is accepted survives encoding and
// resolves at its first and last points.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) < 50 {
		f.Fatalf("%d seeds (%v)", len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, "env.budget=5")
	}
	cat := testCatalog()
	f.Fuzz(func(t *testing.T, src []byte, set string) {
		o := ParseOptions{ReadFile: fakeFiles}
		if len(set)%2 == 1 {
			o.Set = []string{set}
		}
		s, err := Parse("f.yaml", src, cat, o)
		if err != nil {
			var ps Problems
			if !errors.As(err, &ps) || len(ps) == 0 || s != nil {
				t.Fatalf("%v, want problems alone", err)
			}
			for _, p := range ps {
				if p.What == "" || p.File == "f.yaml" && (p.Line < 1 || p.Column < 1) {
					t.Fatalf("problem without place or text: %+v", p)
				}
				if text := p.Caret(src); !strings.HasSuffix(text, "\n") {
					t.Fatalf("caret %q", text)
				}
			}
			return
		}
		checkSound(t, s)
	})
}

// FuzzDecodeStudy checks that no bytes make DecodeStudy or Resolve panic, and
// that what is read encodes to something that reads the same.
func FuzzDecodeStudy(f *testing.F) {
	files, err := filepath.Glob("testdata/plan_v1/*.json")
	if err != nil || len(files) < 5 {
		f.Fatalf("%d seeds (%v)", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	cat := testCatalog()
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := DecodeStudy(body, cat)
		if err != nil {
			return
		}
		again := roundTrip(t, s)
		var p, q Point
		for _, i := range []uint64{0, s.Points() / 2, s.Points() - 1} {
			errP, errQ := s.Resolve(i, &p), again.Resolve(i, &q)
			if (errP == nil) != (errQ == nil) {
				t.Fatalf("point %d: %v, and again %v", i, errP, errQ)
			}
			if errP == nil && s.TrialKey(&p, 1) != again.TrialKey(&q, 1) {
				t.Fatalf("point %d has another key when decoded again", i)
			}
		}
	})
}

func checkSound(t *testing.T, s *Study) {
	t.Helper()
	again := roundTrip(t, s)
	if s.Points() != again.Points() || s.Trials() != again.Trials() {
		t.Fatalf("%d points and %d trials became %d and %d", s.Points(), s.Trials(), again.Points(), again.Trials())
	}
	var p, q Point
	for _, i := range []uint64{0, s.Points() - 1} {
		if err := s.Resolve(i, &p); err != nil {
			t.Fatalf("point %d: %v", i, err)
		}
		if err := again.Resolve(i, &q); err != nil {
			t.Fatalf("point %d, decoded: %v", i, err)
		}
		if s.TrialKey(&p, 1) != again.TrialKey(&q, 1) {
			t.Fatalf("point %d has another key when decoded", i)
		}
	}
	if err := s.Resolve(s.Points(), &p); err == nil {
		t.Fatal("a point beyond the last one resolved")
	}
}
