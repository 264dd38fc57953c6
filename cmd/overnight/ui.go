package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"overnight/coordinator"
	"overnight/coordinator/web"
	"overnight/jobs"
	"overnight/results"
)

// uiFlags are the flags of the dashboard of `run`.
type uiFlags struct {
	uiAddr string // "": none
	uiStay bool
}

// anyPort is where `run --ui` listens unless it is told.
const anyPort = "127.0.0.1:0"

func (f *uiFlags) ui(fl *pflag.FlagSet) {
	fl.StringVar(&f.uiAddr, "ui", "", "show the run in a browser, at an `address` of this machine (--ui=127.0.0.1:8080; any free port by itself)")
	fl.Lookup("ui").NoOptDefVal = anyPort
	fl.BoolVar(&f.uiStay, "ui-stay", false, "go on showing it after the study has ended, until interrupted")
}

// oneStudyFile refuses two arguments, and knows what was meant by `--ui ADDR`.
func oneStudyFile(c *cobra.Command, args []string) error {
	if len(args) < 2 {
		return nil
	}
	for _, arg := range args {
		if _, _, err := net.SplitHostPort(arg); err == nil && c.Flags().Changed("ui") {
			return usage("--ui takes its address after an equals sign: --ui=%s", arg)
		}
	}
	return usage("run takes other arguments: overnight %s; see overnight run --help", c.Use)
}

// dashboard is that of one run. Of a nil one nothing happens.
type dashboard struct {
	listener *web.Listener
	keep     bool

	mu   sync.Mutex
	last []coordinator.Progress
}

// open opens the address, if there is to be a dashboard.
func (f *uiFlags) open(a *app) (*dashboard, error) {
	if f.uiStay && f.uiAddr == "" {
		f.uiAddr = anyPort
	}
	if f.uiAddr == "" {
		return nil, nil
	}
	at, err := net.ResolveTCPAddr("tcp", f.uiAddr)
	if err == nil && !at.IP.IsLoopback() {
		return nil, usage("--ui=%s can be reached from other machines, and everybody who reaches it may cancel the run: write --ui=127.0.0.1:%d, or run the study with overnight serve, which has tokens", f.uiAddr, at.Port)
	}
	l, err := web.Listen(web.Address{Addr: f.uiAddr, Flag: "--ui"}, a.log)
	if err != nil {
		return nil, usage("%w", err)
	}
	return &dashboard{listener: l, keep: f.uiStay}, nil
}

func (d *dashboard) close() {
	if d != nil {
		_ = d.listener.Close() // again, where it was served
	}
}

// noting keeps the progress for the dashboard and passes it on.
func (d *dashboard) noting(show func(coordinator.Progress)) func(coordinator.Progress) {
	if d == nil {
		return show
	}
	return func(p coordinator.Progress) {
		d.mu.Lock()
		d.last = []coordinator.Progress{p}
		d.mu.Unlock()
		show(p)
	}
}

func (d *dashboard) progress() []coordinator.Progress {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.last)
}

// ended forgets the progress: from now on the store knows more.
func (d *dashboard) ended() {
	if d != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.last = nil
	}
}

// serve shows the store's studies until stop is called.
func (d *dashboard) serve(ctx context.Context, a *app, s results.Store, study string) (stop func()) {
	if d == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	fleet := web.NewFleet(s, a.log)
	running.Go(func() { fleet.Run(ctx) })
	o := a.webOptions(s, fleet)
	o.Progress = d.progress
	o.Submit = func(context.Context, *jobs.Study, []byte, web.Submission) (coordinator.Planned, error) {
		return coordinator.Planned{}, fmt.Errorf("%w: this is the dashboard of one run; overnight serve takes studies", web.ErrConflict)
	}
	handler := web.New(o)
	running.Go(func() { a.answer(func() error { return web.Serve(ctx, d.listener, handler, a.log) }) })
	fmt.Fprintf(a.err, "dashboard: http://%s/studies/%s\n", d.listener.Addr(), study)
	return func() {
		cancel()
		running.Wait()
	}
}

// stay waits until it is interrupted, where that is wanted and the run was not
// interrupted itself.
func (d *dashboard) stay(ctx context.Context, a *app, err error) {
	var c *codeError
	if d == nil || !d.keep || errors.As(err, &c) && c.code == exitInterrupted {
		return
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(a.err, "the dashboard stays at http://%s/ until Ctrl-C\n", d.listener.Addr())
	<-ctx.Done()
}
