package natsqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"overnight/jobs"
)

const (
	pullFor   = 30 * time.Second      // a pull request's life
	lingerFor = 5 * time.Second       // the same, where it must be waited for
	beat      = time.Second           // of the server while a request waits
	gather    = 50 * time.Millisecond // for the rest of a batch after its first job
)

// Take asks the server for at most n jobs, no more than are delivered to it: the
// lease of a job begins when the server sends it.
func (q *Queue) Take(ctx context.Context, n int) ([]jobs.Delivery, error) {
	if n < 1 {
		return nil, fmt.Errorf("take %d jobs: at least 1 is possible", n)
	}
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	ask := pullRequest{Batch: n, NoWait: true}
	var tried tries
	for {
		msgs, err := q.pull(ctx, ask)
		if ctx.Err() != nil && errors.Is(ended(ctx), jobs.ErrClosed) {
			q.giveBack(msgs)
			return nil, jobs.ErrClosed
		}
		if len(msgs) > 0 {
			q.note(nil)
		}
		if taken := q.decode(ctx, msgs); len(taken) > 0 {
			return taken, nil
		}
		ask = pullRequest{Batch: n, NoWait: true}
		switch {
		case ctx.Err() != nil:
			return nil, ended(ctx)
		case errors.Is(err, jobs.ErrClosed): // the connection's owner closed it
			return nil, err
		case err == nil:
			tried = tries{}
			q.note(nil)
		case errors.Is(err, errCrowded):
			ask = pullRequest{Batch: 1}
		default:
			if err := q.repair(ctx, &tried, err); err != nil {
				return nil, err
			}
		}
	}
}

// pullRequest is what a server is asked for. With NoWait and Expires it waits
// for a first message and then sends those that are there; with Expires alone it
// waits for the whole batch.
type pullRequest struct {
	Expires   time.Duration `json:"expires"`
	Batch     int           `json:"batch"`
	NoWait    bool          `json:"no_wait,omitempty"`
	Heartbeat time.Duration `json:"idle_heartbeat,omitempty"`
}

var (
	errCrowded = errors.New("other requests are before it")
	errSilent  = errors.New("the server has fallen silent")
)

// pull sends one request and returns what came of it. An error, and messages,
// may come together.
func (q *Queue) pull(ctx context.Context, ask pullRequest) (msgs []*nats.Msg, err error) {
	ask.Expires = pullFor
	if q.o.TakeOnly {
		ask.Expires = lingerFor
	}
	if end, ok := ctx.Deadline(); ok {
		ask.Expires = max(time.Millisecond, min(ask.Expires, time.Until(end)))
	}
	ends := time.Now().Add(ask.Expires)
	silence := time.NewTimer(ask.Expires + beat)
	defer silence.Stop()
	if ask.Expires >= 2*beat {
		ask.Heartbeat = beat
		silence.Reset(2*beat + beat/2)
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}

	renewed := q.renewal()
	inbox := q.nc.NewInbox()
	in := make(chan *nats.Msg, ask.Batch+16) // beats and an end besides
	sub, err := q.nc.ChanSubscribe(inbox, in)
	if err != nil {
		return nil, q.closedOr(err)
	}
	over := false // the server has done with the request
	defer func() {
		switch {
		case over:
			_ = sub.Unsubscribe()
		case q.o.TakeOnly:
			left := ask.Batch - len(msgs)
			q.lingering.Go(func() { q.linger(sub, in, left, ends) })
		default:
			q.abandon(sub, in)
		}
	}()
	if err := q.nc.PublishRequest(q.names.next(q.o.Engine), inbox, body); err != nil {
		return nil, q.closedOr(err)
	}
	for {
		select {
		case m := <-in:
			if m.Reply == "" { // not a job
				if over, err = status(m); over {
					return msgs, err
				}
				silence.Reset(2*beat + beat/2)
				continue
			}
			msgs = append(msgs, m)
			if len(msgs) == ask.Batch {
				over = true
				return msgs, nil
			}
			silence.Reset(gather)
		case <-silence.C:
			if len(msgs) > 0 {
				return msgs, nil
			}
			return nil, errSilent
		case <-renewed:
			return msgs, nil
		case <-ctx.Done():
			return msgs, nil
		}
	}
}

// status reads a server's word about a request: whether it is over, and if so
// what went wrong.
func status(m *nats.Msg) (over bool, err error) {
	code, text := m.Header.Get("Status"), m.Header.Get("Description")
	switch {
	case code == "100": // a heartbeat
		return false, nil
	case code == "408" && text == "Requests Pending":
		return true, errCrowded
	case code == "404" || code == "408": // nothing more, or expired
		return true, nil
	default: // consumer deleted, nobody there, server going down, too many requests, ...
		return true, fmt.Errorf("pull request ended: %s %s", code, text)
	}
}

// linger gives back what a request still receives until it ends. A request is
// taken back by giving up its inbox; from an account of users, as joined workers
// have, the server hears of that so late that it may have sent a job, and the job
// were lost until its lease ends.
func (q *Queue) linger(sub *nats.Subscription, in <-chan *nats.Msg, left int, ends time.Time) {
	timeout := time.NewTimer(time.Until(ends) + beat)
	defer timeout.Stop()
	for left > 0 {
		select {
		case m := <-in:
			if m.Reply == "" {
				if over, _ := status(m); over {
					left = 0
				}
				continue
			}
			q.giveBack([]*nats.Msg{m})
			left--
		case <-timeout.C:
			left = 0
		case <-q.open.Done():
			q.abandon(sub, in)
			return
		}
	}
	_ = sub.Unsubscribe()
}

// abandon takes a request back, and gives back what was sent for it meanwhile.
func (q *Queue) abandon(sub *nats.Subscription, in <-chan *nats.Msg) {
	_ = sub.Drain() // tells the server, and still lets in what is on its way
	_ = q.nc.FlushTimeout(time.Second)
	for {
		select {
		case m := <-in:
			q.giveBack([]*nats.Msg{m})
		default:
			return
		}
	}
}

// giveBack lets jobs that nobody took be delivered to others at once.
func (q *Queue) giveBack(msgs []*nats.Msg) {
	for _, m := range msgs {
		if m.Reply != "" {
			_ = q.nc.Publish(m.Reply, nak)
		}
	}
}

// decode makes deliveries of messages, and gives up those that are no jobs.
func (q *Queue) decode(ctx context.Context, msgs []*nats.Msg) []jobs.Delivery {
	taken := make([]jobs.Delivery, 0, len(msgs))
	var dead []*corpse
	for _, m := range msgs {
		j, c := q.examine(m)
		if c != nil {
			dead = append(dead, c)
			continue
		}
		taken = append(taken, &delivery{q: q, job: j, ack: m.Reply})
	}
	if len(dead) > 0 {
		q.bury(ctx, dead)
	}
	return taken
}
