package natsserver

import (
	"fmt"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

// lines is a server.Logger. What a server has to say concerns developers, so
// that everything but errors goes to debug level.
type lines struct {
	log   *zap.Logger
	cause atomic.Pointer[string]
}

var _ server.Logger = (*lines)(nil)

func (l *lines) Noticef(format string, v ...any) { l.debug(format, v) }
func (l *lines) Warnf(format string, v ...any)   { l.debug(format, v) }
func (l *lines) Debugf(format string, v ...any)  { l.debug(format, v) }
func (l *lines) Tracef(format string, v ...any)  { l.debug(format, v) }
func (l *lines) Errorf(format string, v ...any)  { l.log.Warn(fmt.Sprintf(format, v...)) }

// Fatalf does not end the process: Start returns the cause.
func (l *lines) Fatalf(format string, v ...any) {
	s := fmt.Sprintf(format, v...)
	l.cause.Store(&s)
	l.log.Warn(s)
}

func (l *lines) debug(format string, v []any) {
	if e := l.log.Check(zap.DebugLevel, ""); e != nil {
		e.Message = fmt.Sprintf(format, v...)
		e.Write()
	}
}

func (l *lines) fatal() string {
	if s := l.cause.Load(); s != nil {
		return *s
	}
	return "it gave no reason"
}
