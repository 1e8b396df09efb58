package postern_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	postern "github.com/postern-accounts/postern-go"
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
		options.Log = func(postern.LogLevel, string) {}
		_, err := postern.Open(options)
		var ended *postern.ProcessEnded
		if !errors.As(err, &ended) || len(ended.Stderr) == 0 || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v", err)
		}
	}
}

// failsToOpen opens a store that the process cannot serve, and returns the last line of stderr.
func failsToOpen(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	_, err := postern.Open(postern.Options{Data: folder, Arguments: arguments, Log: func(postern.LogLevel, string) {}})
	var ended *postern.ProcessEnded
	if !errors.As(err, &ended) || len(ended.Stderr) == 0 {
		t.Fatalf("got %v", err)
	}
	return ended.Stderr[len(ended.Stderr)-1]
}

func TestADamagedStoreFailsToOpen(t *testing.T) {
	folder := t.TempDir()
	open(t, postern.Options{Data: folder}).Close()
	if err := os.WriteFile(filepath.Join(folder, "manifest.json"), []byte("no manifest\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if line := failsToOpen(t, folder); !strings.Contains(line, "manifest.json") {
		t.Errorf("it says %s", line)
	}
}

// Another process holds the lock and is stopped.
func TestALockedStoreFailsToOpen(t *testing.T) {
	folder := t.TempDir()
	open(t, postern.Options{Data: folder}).Close()
	holder := exec.Command("flock", "--no-fork", filepath.Join(folder, "lock"), "sh", "-c", "echo held; kill -STOP $$")
	output, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	_, err = bufio.NewReader(output).ReadString('\n')
	if err == nil {
		if line := failsToOpen(t, folder, "--lock-wait", "1"); !strings.Contains(line, "is in use by process") {
			t.Errorf("it says %s", line)
		}
	}
	_ = holder.Process.Kill()
	_ = holder.Wait()
	if err != nil {
		t.Fatal(err)
	}
	open(t, postern.Options{Data: folder}).Close()
}
