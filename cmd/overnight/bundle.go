package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"overnight/internal/redisconn"
	"overnight/results"
)

func (a *app) bundleCmd() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "support-bundle -o FILE",
		Short: "Collect what a helper needs to know into one file, without secrets",
		Long: `Support-bundle writes a .tar.gz with versions, the checks of doctor, the studies
and where they stand, workers, and which variables are set. It holds no record,
no study file, no data and no secret: of variables only the names, of addresses
no user and no password. Read it before you send it: it is plain text.`,
		Example: "  overnight support-bundle -o bundle.tar.gz\n  tar -xOzf bundle.tar.gz | less",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage("support-bundle needs -o FILE: where to write, such as -o bundle.tar.gz")
			}
			return a.bundle(cmd.Context(), out)
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the `file` to write")
	return c
}

// bundlePart is a file of the bundle.
type bundlePart struct {
	name string
	make func(ctx context.Context) ([]byte, error)
}

func (a *app) bundle(ctx context.Context, out string) error {
	parts := []bundlePart{
		{"version.txt", a.bundleVersion},
		{"settings.txt", a.bundleSettings},
		{"doctor.txt", a.bundleDoctor},
		{"studies.json", a.bundleStudies},
		{"workers.json", a.bundleWorkers},
	}
	err := writeFile(out, func(w *bufio.Writer) error {
		z := gzip.NewWriter(w)
		t := tar.NewWriter(z)
		for _, p := range parts {
			b, err := p.make(ctx)
			if err != nil { // what can't be had is told, and the rest goes along
				b = append(b, "error: "+err.Error()+"\n"...)
			}
			h := &tar.Header{Name: "overnight-support/" + p.name, Mode: 0o644, Size: int64(len(b)), ModTime: time.Now()}
			if err := t.WriteHeader(h); err != nil {
				return err
			}
			if _, err := t.Write(b); err != nil {
				return err
			}
		}
		if err := t.Close(); err != nil {
			return err
		}
		return z.Close()
	})
	if err != nil {
		return engine(err)
	}
	fmt.Fprintf(a.out, "%s is written; it is plain text, read it before you send it: tar -xOzf %s\n", out, out)
	return nil
}

func (a *app) bundleVersion(context.Context) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "overnight %s, %s, %s/%s, %d cores, %s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), vectors())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			fmt.Fprintf(&b, "%s %s\n", d.Path, d.Version)
		}
	}
	return b.Bytes(), nil
}

// bundleSettings names the variables that are set; the addresses among them are
// shown without user and password, everything else only by name.
func (a *app) bundleSettings(context.Context) ([]byte, error) {
	addresses := map[string]bool{"OVERNIGHT_STORE": true, "OVERNIGHT_QUEUE": true, "OVERNIGHT_CLUSTER": true}
	var lines []string
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case addresses[name]:
			lines = append(lines, name+"="+redisconn.Redact(value))
		case strings.HasPrefix(name, "OVERNIGHT_"):
			lines = append(lines, name+" is set")
		}
	}
	sort.Strings(lines)
	lines = append(lines, "store: "+a.where(), "queue: "+redisconn.Redact(a.queue))
	return []byte(strings.Join(lines, "\n") + "\n"), nil
}

func (a *app) bundleDoctor(ctx context.Context) ([]byte, error) {
	var b bytes.Buffer
	other := *a
	other.out = &b
	err := other.doctor(ctx, doctorFlags{})
	return b.Bytes(), err
}

func (a *app) bundleStudies(ctx context.Context) (b []byte, err error) {
	err = a.with(ctx, func(s results.Store) error {
		plans, err := s.Studies(ctx)
		if err != nil {
			return err
		}
		var list []standing
		for _, p := range plans {
			st, err := stand(ctx, s, p)
			if err != nil {
				return err
			}
			list = append(list, st)
		}
		b, err = json.MarshalIndent(list, "", "  ")
		return err
	})
	return b, err
}

func (a *app) bundleWorkers(ctx context.Context) (b []byte, err error) {
	err = a.with(ctx, func(s results.Store) error {
		rows, err := listWorkers(ctx, s)
		if err != nil {
			return err
		}
		b, err = json.MarshalIndent(rows, "", "  ")
		return err
	})
	return b, err
}
