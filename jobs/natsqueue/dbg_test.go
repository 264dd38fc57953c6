package natsqueue
import ("testing";"go.uber.org/zap";"overnight/jobs/queuetest";"overnight/jobs";"time")
func TestDbg(t *testing.T) {
	l, _ := zap.NewDevelopment()
	e := startExternal(t)
	queuetest.Run(t, func(t *testing.T) jobs.Queue {
		return openNew(t, e.connect(t), Options{Lease: time.Second, Namespace: namespace(t), MaxBytes: 32 << 20, Log: l})
	}, queuetest.Options{Lease: time.Second, Inject: inject, Wreck: wreck})
}
