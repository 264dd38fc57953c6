package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"time"

	"overnight/coordinator"
	"overnight/internal/faultproxy"
)

// benchServers measures trials end to end over the servers that the flags name,
// coordinated and worked by this process.
func (a *app) benchServers(ctx context.Context, f benchFlags) error {
	b := *a
	if f.roundTrip > 0 {
		stop, err := b.delayed(f.roundTrip)
		if err != nil {
			return err
		}
		defer stop()
	}
	slots := runtime.NumCPU()
	note := ""
	if f.roundTrip > 0 {
		note = fmt.Sprintf(", %v more a round trip", f.roundTrip)
	}
	return a.measureAll(ctx, []*measure{
		{name: fmt.Sprintf("no-op trials, %d slots%s", slots, note), unit: "trials/s", run: func(ctx context.Context) (float64, error) { return b.overServers(ctx, noop(f.trials), slots) }},
		{name: fmt.Sprintf("1 ms trials, %d slots%s", slots, note), unit: "trials/s", run: func(ctx context.Context) (float64, error) { return b.overServers(ctx, busy(1000*slots, "1"), slots) }},
	}, f.rounds)
}

// delayed puts proxies before the servers, each of which takes half of the time
// each way.
func (a *app) delayed(roundTrip time.Duration) (stop func(), err error) {
	var proxies []*faultproxy.Proxy
	stop = func() {
		for _, p := range proxies {
			p.Close()
		}
	}
	for _, at := range []*string{&a.cluster, &a.store, &a.queue} {
		u, err := url.Parse(*at)
		if err != nil || u.Host == "" {
			continue
		}
		p, err := faultproxy.New(u.Host)
		if err != nil {
			stop()
			return nil, engine(err)
		}
		p.Set(faultproxy.Mode{Delay: roundTrip / 2}, false)
		proxies = append(proxies, p)
		u.Host = p.Addr()
		*at = u.String()
	}
	return stop, nil
}

// overServers runs a study over the servers and removes it.
func (a *app) overServers(ctx context.Context, text string, slots int) (perSecond float64, err error) {
	at, err := a.queueURL()
	if err != nil {
		return 0, err
	}
	s, err := a.open(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	store, ok := s.(coordinator.Store)
	if !ok {
		return 0, fmt.Errorf("%s can't be followed", a.where())
	}
	codec, err := a.coordinatorCodec(engineFlags{})
	if err != nil {
		return 0, err
	}
	queue, err := a.connectQueue(ctx, at, queueOptions{codec: codec})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, queue.Close()) }()
	text = fmt.Sprintf("seed: %d\n", time.Now().UnixNano()>>20) + text // a study that nobody has
	name, perSecond, err := a.perSecond(ctx, store, queue, text, slots)
	if name != "" {
		err = errors.Join(err, s.Delete(context.WithoutCancel(ctx), name)) // also where it was interrupted
	}
	return perSecond, err
}
