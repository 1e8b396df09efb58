package postern_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	postern "github.com/postern-accounts/postern-go"
)

func init() {
	// Writes the text of TEST_LINES to stderr, and exits at the first request.
	fakes["logs"] = func() {
		fmt.Fprint(os.Stderr, os.Getenv("TEST_LINES"))
		os.Exit(5)
	}
	// Has a log that panics, and prints the error of a call.
	hosts["has a log that panics"] = func() {
		binary, err := os.Executable()
		if err != nil {
			panic(err)
		}
		os.Unsetenv("TEST_HOST")
		_, err = postern.Open(postern.Options{
			Binary: binary,
			Env:    []string{"TEST_FAKE=logs", "TEST_LINES=one\ntwo\n"},
			Log:    func(_ postern.LogLevel, message string) { panic("no " + message) },
		})
		var ended *postern.ProcessEnded
		fmt.Println(errors.As(err, &ended), ended.Stderr)
	}
	// Prints the version of the program that it finds.
	hosts["finds the binary"] = func() {
		client, err := postern.Open(postern.Options{Data: ":memory:"})
		if err != nil {
			panic(err)
		}
		binary, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", client.PID()))
		fmt.Println(binary, err, client.Close())
	}
}

func TestALogGetsTheMessagesAtTheirLevelsAndOtherLinesAsErrors(t *testing.T) {
	type entry struct {
		level   postern.LogLevel
		message string
	}
	var entries []entry
	lines := `time=T level=error message="a \"b\""` + "\n" + `time=T level=warning message="c"` + "\n" +
		`time=T level=info message="d"` + "\n" + "e\n" + `time=T level=info message="\x"`
	client := openFake(t, "logs", postern.Options{
		Env: []string{"TEST_LINES=" + lines},
		Log: func(level postern.LogLevel, message string) { entries = append(entries, entry{level, message}) },
	})
	client.Close()
	expected := []entry{
		{postern.LogError, `a "b"`}, {postern.LogWarning, "c"}, {postern.LogInfo, "d"}, {postern.LogError, "e"},
		{postern.LogError, `time=T level=info message="\x"`},
	}
	if !reflect.DeepEqual(entries, expected) {
		t.Errorf("got %q", entries)
	}
}

func TestAMessageOfTheRealLogReachesTheLog(t *testing.T) {
	var messages []string
	client := open(t, postern.Options{Arguments: []string{"--log-level", "info"}, Log: func(level postern.LogLevel, text string) {
		messages = append(messages, string(level)+" "+text)
	}})
	client.Close()
	if len(messages) == 0 || !strings.HasPrefix(messages[0], "info serving ") {
		t.Errorf("got %q", messages)
	}
}

func TestALogThatPanicsDoesNotEndTheHost(t *testing.T) {
	host := hostCommand(t, "has a log that panics")
	var stderr bytes.Buffer
	host.Stderr = &stderr
	output, err := host.Output()
	if err != nil || string(output) != "true [one two]\n" {
		t.Errorf("%v: %s", err, output)
	}
	expected := "one\npostern: Options.Log has panicked: no one\ntwo\npostern: Options.Log has panicked: no two\n"
	if stderr.String() != expected {
		t.Errorf("stderr is %s", stderr.String())
	}
}

func TestTheBinaryIsFoundBesideTheProgram(t *testing.T) {
	folder := t.TempDir()
	for name, path := range map[string]string{"program": os.Args[0], "postern": os.Getenv("POSTERN_BIN")} {
		bytes, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(folder+"/"+name, bytes, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	host := hostCommand(t, "finds the binary")
	host.Path = folder + "/program"
	host.Env = append(host.Env, "POSTERN_BIN=", "PATH=/nowhere")
	if output, err := host.CombinedOutput(); err != nil || string(output) != folder+"/postern <nil> <nil>\n" {
		t.Errorf("%v: %s", err, output)
	}
	// PATH comes first.
	host = hostCommand(t, "finds the binary")
	host.Path = folder + "/program"
	other := t.TempDir()
	if err := os.Symlink(os.Getenv("POSTERN_BIN"), other+"/postern"); err != nil {
		t.Fatal(err)
	}
	host.Env = append(host.Env, "POSTERN_BIN=", "PATH="+other)
	if output, err := host.CombinedOutput(); err != nil || strings.HasPrefix(string(output), folder) {
		t.Errorf("%v: %s", err, output)
	}
	// Without a binary, the error names the place.
	if err := os.Remove(folder + "/postern"); err != nil {
		t.Fatal(err)
	}
	host = hostCommand(t, "finds the binary")
	host.Path = folder + "/program"
	host.Env = append(host.Env, "POSTERN_BIN=", "PATH=/nowhere")
	if output, err := host.CombinedOutput(); err == nil || !strings.Contains(string(output), folder+"/postern") {
		t.Errorf("%v: %s", err, output)
	}
}
