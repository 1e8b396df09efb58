package postern_test

import (
	"context"
	"fmt"
	"testing"

	postern "github.com/postern-accounts/postern-go"
)

func TestMuchStderrDoesNotBlockTheProcess(t *testing.T) {
	lines := 0
	counted := make(chan struct{})
	client := openFake(t, "chatty", postern.Options{Log: func(_ postern.LogLevel, line string) {
		if line != fmt.Sprintf("%0100d", lines) {
			t.Errorf("line %d is %q", lines, line)
		}
		if lines++; lines == 10_000 {
			close(counted)
		}
	}})
	if _, err := client.Call(limited(t), "anything", nil); err != nil {
		t.Fatal(err)
	}
	<-counted
}

// The log waits for a call, before whose reply the process writes a megabyte to stderr.
func TestALogCanMakeACall(t *testing.T) {
	var client *postern.Client
	opened, called := make(chan struct{}), make(chan error, 1)
	isFirst := true
	client = openFake(t, "chatty", postern.Options{Log: func(postern.LogLevel, string) {
		if isFirst {
			isFirst = false
			<-opened
			_, err := client.Call(context.Background(), "anything", nil)
			called <- err
		}
	}})
	close(opened)
	if _, err := client.Call(limited(t), "anything", nil); err != nil {
		t.Fatal(err)
	}
	if err := <-called; err != nil {
		t.Error(err)
	}
}

func TestALongLineArrivesInPieces(t *testing.T) {
	pieces := make(chan string, 1_000)
	client := openFake(t, "endless", postern.Options{Log: func(_ postern.LogLevel, line string) { pieces <- line }})
	if _, err := client.Call(limited(t), "anything", nil); err != nil {
		t.Fatal(err)
	}
	client.Close()
	close(pieces)
	length := 0
	for piece := range pieces {
		if len(piece) > 64<<10 {
			t.Errorf("a piece has %d bytes", len(piece))
		}
		length += len(piece)
	}
	if length != 1_000_001 {
		t.Errorf("all pieces have %d bytes", length)
	}
}
