package redisconn

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// Log sends what go-redis has to say about connections to log at debug level, and
// no longer to standard error. go-redis has one logger for the whole process: main
// calls this once.
func Log(log *zap.Logger) { redis.SetLogger(lines{log.Named("redis")}) }

type lines struct{ log *zap.Logger }

func (l lines) Printf(_ context.Context, format string, v ...any) {
	if e := l.log.Check(zap.DebugLevel, ""); e != nil {
		e.Message = fmt.Sprintf(format, v...)
		e.Write()
	}
}
