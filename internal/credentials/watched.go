package credentials

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// lookEvery is how often files are looked at, at most.
const lookEvery = time.Second

// watched is what some files say together: a certificate and its key change both.
type watched[T any] struct {
	log   *zap.Logger
	what  string // the variable or role, for messages
	files []file
	parse func(contents [][]byte) (T, error)

	value atomic.Pointer[T]

	looking sync.Mutex // one caller reads the files; the others get the value of before
	begun   time.Time
	looked  atomic.Int64 // since begun
	sum     [sha256.Size]byte
	failed  string // what was logged last
}

// file is one of them.
type file struct {
	path string
	care care
}

// watch reads the files and returns their value, which get keeps up to date.
func watch[T any](log *zap.Logger, what string, files []file, parse func([][]byte) (T, error)) (*watched[T], error) {
	w := &watched[T]{log: log, what: what, files: files, parse: parse, begun: time.Now()}
	if err := w.look(log); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return w, nil
}

// get returns the value as of a second ago or later.
func (w *watched[T]) get() T {
	if now := int64(time.Since(w.begun)); now-w.looked.Load() >= int64(lookEvery) && w.looking.TryLock() {
		w.looked.Store(now)
		w.again()
		w.looking.Unlock()
	}
	return *w.value.Load()
}

// again looks at the files and logs what is new about them, once.
func (w *watched[T]) again() {
	old := w.sum
	err := w.look(zap.NewNop())
	switch {
	case err == nil && w.sum != old:
		w.log.Info("credentials changed", zap.String("what", w.what), zap.String("files", w.paths()))
		w.failed = ""
	case err == nil:
		w.failed = ""
	case err.Error() != w.failed:
		w.failed = err.Error()
		w.log.Warn("credentials not usable, those of before stay", zap.String("what", w.what), zap.Error(err))
	}
}

// look reads the files and takes their value where they differ from before.
func (w *watched[T]) look(log *zap.Logger) error {
	contents := make([][]byte, len(w.files))
	all := sha256.New()
	for i, f := range w.files {
		b, err := read(log, f.path, f.care)
		if err != nil {
			return err
		}
		contents[i] = b
		part := sha256.Sum256(b)
		all.Write(part[:])
	}
	sum := [sha256.Size]byte(all.Sum(nil))
	if sum == w.sum && w.value.Load() != nil {
		return nil
	}
	v, err := w.parse(contents)
	if err != nil {
		return fmt.Errorf("%s: %w", w.paths(), err)
	}
	w.value.Store(&v)
	w.sum = sum
	return nil
}

func (w *watched[T]) paths() string {
	names := make([]string, len(w.files))
	for i, f := range w.files {
		names[i] = f.path
	}
	return strings.Join(names, " and ")
}

// File is a public file that is read again when it changes: see Watch.
type File[T any] struct{ w *watched[T] }

// Watch reads a file that says whom to trust and that everybody may read, but
// not write; what names its role in messages. parse must not put what it reads
// into its errors.
func Watch[T any](log *zap.Logger, what, path string, parse func([]byte) (T, error)) (*File[T], error) {
	if log == nil {
		log = zap.NewNop()
	}
	w, err := watch(log, what, []file{{path, public}}, func(c [][]byte) (T, error) { return parse(c[0]) })
	if err != nil {
		return nil, err
	}
	return &File[T]{w}, nil
}

// Get returns what the file says, as of a second ago or later.
func (f *File[T]) Get() T { return f.w.get() }
