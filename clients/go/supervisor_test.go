package postern

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// Between the end of a start and the restart's next step, as at any other moment, Close finds the process.
func TestCloseRightAfterAStartEndsTheProcess(t *testing.T) {
	s := &supervisor{
		options: Options{Data: t.TempDir(), Log: func(LogLevel, string) {}},
		backoff: Backoff{}.withDefaults(),
		closing: make(chan struct{}),
		watched: make(chan struct{}),
	}
	first, err := s.start(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	second, err := s.start(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.close()
	closed := make(chan error, 1)
	go func() { closed <- s.close() }()
	select {
	case <-second.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the process still runs")
	}
	go s.watch(second)
	if err := <-closed; err != nil {
		t.Errorf("Close gave %v", err)
	}
}

// The error of a start is also that of the calls which wait for it, so it must not look like the end of their contexts.
func TestAStartWithoutAReplyIsNotTheEndOfAContext(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process, err := connect(Options{Binary: binary, Env: []string{"TEST_FAKE=deaf"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = process.waitUntilReady(50*time.Millisecond, checkContract)
	var fault *ProtocolError
	isOfContext := errors.Is(err, context.DeadlineExceeded)
	if !errors.As(err, &fault) || isOfContext || !strings.Contains(err.Error(), "within 0.05 s") {
		t.Errorf("got %v", err)
	}
	if !process.hasEnded() {
		t.Error("the process still runs")
	}
}
