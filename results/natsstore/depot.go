package natsstore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// evictable is for how long nobody may have asked for a long answer that is
// dropped to make room for another.
const evictable = 2 * time.Second

// depot keeps long requests while they come in and long answers while they go
// out, in chunks. Long answers are kept by their SHA-256, so that workers that
// fetch the same plan or data at the same time share one copy.
type depot struct {
	limit int64 // bytes
	mu    sync.Mutex
	used  int64

	uploads map[id]*upload
	answers map[digest]*long
}

// upload is a body that comes in chunks of one size, in any order.
type upload struct {
	data    []byte
	chunk   int
	has     []bool
	missing int
	touched time.Time
}

// long is an answer.
type long struct {
	data    []byte
	touched time.Time
}

// admit makes room for size bytes; errBusy.
func (d *depot) admit(size int) error {
	need := int64(size)
	for d.used > 0 && d.used+need > d.limit {
		var oldest digest
		var at time.Time
		for sum, a := range d.answers {
			if at.IsZero() || a.touched.Before(at) {
				oldest, at = sum, a.touched
			}
		}
		if at.IsZero() || time.Since(at) < evictable {
			return fmt.Errorf("%w: %d bytes of long requests and answers are under way", errBusy, d.used)
		}
		d.drop(oldest)
	}
	d.used += need
	return nil
}

func (d *depot) drop(sum digest) {
	d.used -= int64(len(d.answers[sum].data))
	delete(d.answers, sum)
}

// offer keeps a long answer to be fetched.
func (d *depot) offer(data []byte) (ref, error) {
	sum := digest(sha256.Sum256(data))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answers[sum] == nil {
		if err := d.admit(len(data)); err != nil {
			return ref{}, err
		}
		d.answers[sum] = &long{data: data}
	}
	d.answers[sum].touched = time.Now()
	return ref{size: uint64(len(data)), sum: sum}, nil
}

// find returns a long answer that is there.
func (d *depot) find(sum digest) ([]byte, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.answers[sum]
	if a == nil {
		return nil, false
	}
	a.touched = time.Now()
	return a.data, true
}

// named returns the long answer with a SHA-256 in hex.
func (d *depot) named(sum []byte) (ref, bool) {
	var f ref
	if n, err := hex.Decode(f.sum[:], sum[:min(len(sum), 2*sha256.Size)]); err != nil || n != len(f.sum) || len(sum) != 2*sha256.Size {
		return ref{}, false
	}
	data, ok := d.find(f.sum)
	f.size = uint64(len(data))
	return f, ok
}

// put takes a chunk of an upload, which the first of them begins.
func (d *depot) put(c *chunk, most uint64) error {
	if c.total > most || c.total == 0 {
		return refused("an upload of %d bytes, where 1 to %d are possible", c.total, most)
	}
	total := int(c.total)
	if c.size < minRoom/4 || c.size > chunkSize {
		return refused("an upload in chunks of %d bytes", c.size)
	}
	size := int(c.size)
	n := (total + size - 1) / size
	if c.index >= uint64(n) {
		return refused("chunk %d of %d", c.index, n)
	}
	at := int(c.index) * size
	if want := min(size, total-at); len(c.data) != want {
		return refused("a chunk of %d bytes, where %d were due", len(c.data), want)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.uploads[c.upload]
	if u == nil {
		if err := d.admit(total); err != nil {
			return err
		}
		u = &upload{data: make([]byte, total), chunk: size, has: make([]bool, n), missing: n}
		d.uploads[c.upload] = u
	}
	if len(u.data) != total || u.chunk != size {
		return refused("a chunk of another upload of the same name")
	}
	u.touched = time.Now()
	if !u.has[c.index] {
		copy(u.data[at:], c.data)
		u.has[c.index] = true
		u.missing--
	}
	return nil
}

// body returns what was uploaded and forgets it; its room is free after release.
func (d *depot) body(f *ref) (data []byte, release func(), err error) {
	d.mu.Lock()
	u := d.uploads[f.upload]
	if u == nil || u.missing > 0 {
		d.mu.Unlock()
		return nil, nil, errExpired
	}
	delete(d.uploads, f.upload)
	d.mu.Unlock()
	release = func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.used -= int64(len(u.data))
	}
	if uint64(len(u.data)) != f.size || digest(sha256.Sum256(u.data)) != f.sum {
		release()
		return nil, nil, fmt.Errorf("%w: what was uploaded has another SHA-256", errExpired)
	}
	return u.data, release, nil
}

// expire drops what nobody has asked for since then.
func (d *depot) expire(then time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, u := range d.uploads {
		if u.touched.Before(then) {
			d.used -= int64(len(u.data))
			delete(d.uploads, name)
		}
	}
	for sum, a := range d.answers {
		if a.touched.Before(then) {
			d.drop(sum)
		}
	}
}
