//go:build go1.21

package postern

import (
	"context"
	"log/slog"
)

// SlogLog makes an [Options].Log that writes to a logger of log/slog: Log: postern.SlogLog(slog.Default()).
func SlogLog(logger *slog.Logger) func(level LogLevel, message string) {
	levels := map[LogLevel]slog.Level{LogWarning: slog.LevelWarn, LogInfo: slog.LevelInfo}
	return func(level LogLevel, message string) {
		known, isKnown := levels[level]
		if !isKnown {
			known = slog.LevelError
		}
		logger.Log(context.Background(), known, message)
	}
}
