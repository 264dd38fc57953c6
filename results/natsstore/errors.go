package natsstore

import (
	"context"
	"errors"
	"fmt"

	"overnight/results"
)

// Errors that stay between server and client.
var (
	errConflict = errors.New("another update came between")
	errExpired  = errors.New("the coordinator has dropped what was sent so far")
	errBusy     = errors.New("the coordinator has too much to do")
	errRefused  = errors.New("refused")
)

// kindOf returns how an error crosses the wire. ErrDamaged comes late, as the
// error that ends a scan hides it.
func kindOf(err error) kind {
	switch {
	case errors.Is(err, errConflict):
		return kindConflict
	case errors.Is(err, errExpired):
		return kindExpired
	case errors.Is(err, errBusy):
		return kindBusy
	case errors.Is(err, errRefused):
		return kindRefused
	case errors.Is(err, ErrLost):
		return kindLost
	case errors.Is(err, context.Canceled):
		return kindClosing
	case errors.Is(err, errors.ErrUnsupported):
		return kindUnsupported
	case errors.Is(err, results.ErrNotFound):
		return kindNotFound
	case errors.Is(err, results.ErrExists):
		return kindExists
	case errors.Is(err, results.ErrDamaged):
		return kindDamaged
	}
	return kindFailed
}

// remoteError is an error of the server as its client returns it.
type remoteError struct {
	kind kind
	text string
}

func (e *remoteError) Error() string { return e.text }

// Unwrap returns what errors.Is finds.
func (e *remoteError) Unwrap() error {
	switch e.kind {
	case kindNotFound:
		return results.ErrNotFound
	case kindExists:
		return results.ErrExists
	case kindDamaged:
		return results.ErrDamaged
	case kindUnsupported:
		return errors.ErrUnsupported
	case kindConflict:
		return errConflict
	case kindLost:
		return ErrLost
	}
	return nil
}

// refused says that a request is not what it should be.
func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errRefused}, args...)...)
}
