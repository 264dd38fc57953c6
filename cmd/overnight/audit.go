package main

import (
	"os/user"

	"go.uber.org/zap"
)

// audit logs a change that somebody made to a store that is shared; one in a
// folder has the files' owner.
func (a *app) audit(action, study string, more ...zap.Field) {
	if _, folder, err := a.storeURL(); err == nil && folder {
		return
	}
	who := "unknown"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	a.log.Info("audit", append([]zap.Field{zap.String("who", who), zap.String("action", action), zap.String("study", study)}, more...)...)
}
