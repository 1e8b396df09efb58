package postern_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	postern "postern/clients/go"
)

func TestAProgramThatCannotServeFailsToOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for part, options := range map[string]postern.Options{
		"--no-such-flag": {Data: ":memory:", Arguments: []string{"--no-such-flag"}},
		file:             {Data: file},
	} {
		options.Log = func(string) {}
		_, err := postern.Open(options)
		var ended *postern.ProcessEnded
		if !errors.As(err, &ended) || len(ended.Stderr) == 0 || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v", err)
		}
	}
}
