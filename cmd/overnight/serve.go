package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/coordinator/web"
	"overnight/internal/failpoint"
	"overnight/jobs"
	"overnight/results"
)

type serveFlags struct {
	api      string
	metrics  string
	tokens   string
	cert     string
	key      string
	hosts    []string
	insecure bool
	engineFlags
}

func (a *app) serveCmd() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run submitted studies as a service, with an HTTP API and metrics",
		Long: `Serve is the coordinator as a service: it runs the studies that were submitted to
its store, several at once with fair shares. Of several that serve one store one
leads and the others stand by. Workers are processes of their own (overnight
worker). It ends with SIGTERM and goes on where it was when it is started again.`,
		Example: `  overnight serve --cluster redis://127.0.0.1:6379
  overnight serve --queue nats://127.0.0.1:4222 --store redis://127.0.0.1:6379
  overnight serve --listen :4222`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.api, "api", "127.0.0.1:8080", "`address` of the API")
	fl.StringVar(&f.metrics, "metrics", defaultMetrics, "`address` of probes and Prometheus metrics, which hold no data; empty: none")
	fl.StringVar(&f.tokens, "tokens", "", "`file` with who may use the API, a line each as overnight token prints it")
	fl.StringVar(&f.cert, "tls-cert", "", "`file` with the API's certificate, PEM; read again when it changes")
	fl.StringVar(&f.key, "tls-key", "", "`file` with the certificate's key, PEM")
	fl.StringSliceVar(&f.hosts, "host", nil, "a further `name` under which the API is reached, such as that of a proxy before it")
	fl.BoolVar(&f.insecure, "insecure", false, "serve the API beyond this machine without TLS and tokens: everybody who reaches it may do everything")
	f.listening(c)
	return c
}

func (a *app) serve(ctx context.Context, f serveFlags) error {
	url, err := a.queueURL()
	if err == nil {
		err = f.checkListen(url)
	}
	if err != nil {
		return err
	}
	api, err := web.Listen(web.Address{Addr: f.api, Tokens: f.tokens, Cert: f.cert, Key: f.key, Insecure: f.insecure}, a.log)
	if err != nil {
		return usage("%w", err)
	}
	defer api.Close() // again, where it was served
	i := interruptible(ctx, newProgress(a, 0), "the service ends; studies go on when it is started again")
	defer i.stop()
	open := a.creating
	if f.listen == "" {
		open = a.serving
	}
	err = open(i.work, func(s results.Store) error { return a.serveOn(i, s, api, f) })
	if i.coordinate.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return nil
	}
	return err
}

// serving opens the store of a service whose workers reach it themselves.
func (a *app) serving(ctx context.Context, fn func(results.Store) error) error {
	url, err := a.queueURL()
	if err != nil {
		return err
	}
	if url == "" {
		return usage("serve needs workers that can reach it: --cluster redis://host:6379, or --queue nats://host:4222 --store redis://host:6379, or with nothing installed --listen :4222")
	}
	s, err := patiently(ctx, a, "store", func() (results.Store, error) { return a.open(ctx) })
	if err != nil {
		return err
	}
	return errors.Join(fn(s), closed(s))
}

func (a *app) serveOn(i *interrupts, s results.Store, api *web.Listener, f serveFlags) error {
	store, ok := s.(coordinator.Store)
	if !ok {
		return engine(fmt.Errorf("%s can't be followed", a.where()))
	}
	queue, end, err := a.coordinatorQueue(i.coordinate, s, f.engineFlags)
	if err != nil {
		return err
	}
	defer end()
	defer queue.Close()
	i.begun()
	pulse := web.NewPulse()
	var observe func(coordinator.Event) // set before anything runs
	service := coordinator.NewService(coordinator.Options{
		Store: pulsed{store, pulse}, Queue: queue, Catalog: a.cat, Holder: holder(), Log: a.log,
		Failpoint: failpoint.FromEnv(),
		Observe: func(e coordinator.Event) {
			if observe != nil {
				observe(e)
			}
		},
	})
	stop, err := a.serveHTTP(i.coordinate, service, parts{store, queue, api, pulse}, func(fn func(coordinator.Event)) { observe = fn }, f)
	if err != nil {
		return err
	}
	defer stop()
	a.log.Info("service started", zap.String("store", a.where()), zap.String("version", version()), zap.Int("engine", jobs.EngineVersion))
	err = service.Run(i.coordinate)
	a.log.Info("service ended")
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// webOrders are the orders of the API.
type webOrders struct {
	a *app
	s results.Store
}

var _ web.Orders = webOrders{}

func (o webOrders) order(ctx context.Context, kind results.OrderKind, study string, change func(*results.Plan) error) error {
	return conflict(order(ctx, o.s, kind, study, change))
}

// conflict marks what a command would call bad usage.
func conflict(err error) error {
	var c *codeError
	if errors.As(err, &c) && c.code == exitUsage {
		return fmt.Errorf("%w: %w", web.ErrConflict, c.err)
	}
	return err
}

func (o webOrders) Cancel(ctx context.Context, study string) error {
	return o.order(ctx, results.Cancel, study, cancelling)
}

func (o webOrders) Pause(ctx context.Context, study string) error {
	return o.order(ctx, results.Pause, study, pausing)
}

func (o webOrders) Resume(ctx context.Context, study string) error {
	return o.order(ctx, results.Resume, study, resuming)
}

func (o webOrders) Retry(ctx context.Context, study string) (uint64, error) {
	p, err := o.s.Plan(ctx, study)
	if err != nil {
		return 0, err
	}
	return retry(ctx, o.s, p)
}

// Delete removes a study that nobody runs any more.
func (o webOrders) Delete(ctx context.Context, study string) error {
	p, err := o.s.Plan(ctx, study)
	if err != nil {
		return err
	}
	if p.State == results.Running || p.State == results.Paused || p.State == results.Planning {
		return fmt.Errorf("%w: it is %s: cancel it first", web.ErrConflict, p.State)
	}
	return o.a.alone(ctx, o.s, study, func() error { return o.s.Delete(ctx, study) })
}

// submitted plans a study that came over the API.
func (a *app) submitted(store coordinator.Store) func(context.Context, *jobs.Study, []byte, web.Submission) (coordinator.Planned, error) {
	return func(ctx context.Context, study *jobs.Study, source []byte, s web.Submission) (coordinator.Planned, error) {
		if err := a.checkBytes(ctx, study, "64GB"); err != nil {
			return coordinator.Planned{}, fmt.Errorf("%w: %w", web.ErrRefused, err)
		}
		return coordinator.Submit(ctx, study, source, coordinator.Options{
			Store: store, Catalog: a.cat, Log: a.log, Holder: holder(),
			Submit: coordinator.SubmitOptions{Submitted: true, Priority: s.Priority, MaxSlots: s.MaxSlots, Keep: s.Keep},
		})
	}
}

func (a *app) tokenCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "token ROLE COMMENT",
		Short: "Make a token for the API and the line for its token file",
		Long: `Token prints a fresh token on stderr, to hand to its owner, and on stdout the line
for the file that serve reads with --tokens: it holds the token's SHA-256 only.
Roles are view, submit (and view) and admin (and all).`,
		Example: "  overnight token submit alice >> tokens",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			role, err := web.ParseRole(args[0])
			if err != nil {
				return usage("%w", err)
			}
			secret, line, err := web.NewToken(role, args[1])
			if err != nil {
				return usage("%w", err)
			}
			fmt.Fprintf(a.err, "token of %s: %s\n", args[1], secret)
			fmt.Fprint(a.out, line)
			return nil
		},
	}
}
