//go:build go1.21

package postern_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	postern "github.com/postern-accounts/postern-go"
)

func TestASlogLoggerGetsTheMessagesAtTheirLevels(t *testing.T) {
	var written bytes.Buffer
	log := postern.SlogLog(slog.New(slog.NewTextHandler(&written, nil)))
	for _, level := range []postern.LogLevel{postern.LogError, postern.LogWarning, postern.LogInfo, "newer"} {
		log(level, "a message")
	}
	lines := strings.Split(strings.TrimSuffix(written.String(), "\n"), "\n")
	for index, level := range []string{"ERROR", "WARN", "INFO", "ERROR"} {
		if !strings.HasSuffix(lines[index], " level="+level+` msg="a message"`) {
			t.Errorf("line %d is %s", index, lines[index])
		}
	}
}
