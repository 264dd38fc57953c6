package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// channel holds the latest message of each kind about one thing, for however many
// who stream it: all are sent the same bytes.
type channel struct {
	mu      sync.Mutex
	seq     uint64
	latest  map[string]message
	changed chan struct{} // closed with the next message
}

// message is a server-sent event.
type message struct {
	kind string
	data []byte
	seq  uint64
}

func newChannel() *channel {
	return &channel{latest: map[string]message{}, changed: make(chan struct{})}
}

// publish makes v the latest message of a kind, unless it says the same.
func (c *channel) publish(kind string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", kind, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if bytes.Equal(c.latest[kind].data, data) {
		return nil
	}
	c.seq++
	c.latest[kind] = message{kind, data, c.seq}
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// since returns the messages behind seq, oldest first, and what is closed when
// there is another.
func (c *channel) since(seq uint64) (list []message, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range slices.SortedFunc(maps.Values(c.latest), func(a, b message) int { return int(a.seq) - int(b.seq) }) {
		if m.seq > seq {
			list = append(list, m)
		}
	}
	return list, c.changed
}

// wait returns the latest message of a kind, once there is one.
func (c *channel) wait(ctx context.Context, kind string) ([]byte, error) {
	for {
		c.mu.Lock()
		m, ok := c.latest[kind]
		changed := c.changed
		c.mu.Unlock()
		if ok {
			return m.data, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// hub makes channels for those who look, and lets go of them when nobody does.
type hub struct {
	mu       sync.Mutex
	channels map[string]*shared
}

// shared is a channel with what fills it.
type shared struct {
	*channel
	viewers int
	stop    context.CancelFunc
	ended   chan struct{}
}

func newHub() *hub { return &hub{channels: map[string]*shared{}} }

// join returns the channel of a name. Of the first who joins it starts fill; the
// last one's leave ends it and waits until it has.
func (h *hub) join(name string, fill func(ctx context.Context, c *channel)) (c *channel, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.channels[name]
	if s == nil {
		ctx, cancel := context.WithCancel(context.Background())
		s = &shared{channel: newChannel(), stop: cancel, ended: make(chan struct{})}
		h.channels[name] = s
		go func() {
			defer close(s.ended)
			fill(ctx, s.channel)
		}()
	}
	s.viewers++
	return s.channel, func() {
		h.mu.Lock()
		s.viewers--
		last := s.viewers == 0
		if last {
			delete(h.channels, name)
			s.stop()
		}
		h.mu.Unlock()
		if last {
			<-s.ended
		}
	}
}

// stillEvery is how often a stream looks whether its asker may still read.
const stillEvery = time.Second

// follow streams a channel as server-sent events until the asker goes, loses
// their right to read, or the server closes.
func (a *api) follow(w http.ResponseWriter, r *http.Request, c *channel) error {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	who := asker(r)
	tick := time.NewTicker(stillEvery)
	defer tick.Stop()
	send := func(format string, args ...any) bool {
		err := control.SetWriteDeadline(time.Now().Add(streamTimeout))
		if err == nil {
			_, err = fmt.Fprintf(w, format, args...)
		}
		return err == nil
	}
	if !send(": overnight\nretry: 2000\n\n") || control.Flush() != nil {
		return nil
	}
	seq, sent := uint64(0), time.Now()
	for {
		list, changed := c.since(seq)
		for _, m := range list {
			if !send("event: %s\ndata: %s\n\n", m.kind, m.data) {
				return nil
			}
			seq, sent = m.seq, time.Now()
		}
		if time.Since(sent) >= pingEvery {
			if !send(": still here\n\n") {
				return nil
			}
			sent = time.Now()
		}
		if control.Flush() != nil {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-closing(r):
			return nil
		case <-changed:
		case <-tick.C:
		}
		if !a.still(who, View) {
			return nil
		}
	}
}
