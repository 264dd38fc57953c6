package main

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger writes lines for people to w: time, level, event, fields.
func newLogger(w *screen, quiet, verbose, terse bool) *zap.Logger {
	if quiet {
		return zap.NewNop()
	}
	level := zapcore.InfoLevel
	switch {
	case verbose:
		level = zapcore.DebugLevel
	case terse:
		level = zapcore.WarnLevel
	}
	c := zap.NewProductionEncoderConfig()
	c.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05")
	c.EncodeLevel = zapcore.CapitalLevelEncoder
	c.ConsoleSeparator = " "
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(c), zapcore.AddSync(w), level))
}
