package postern_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	postern "github.com/postern-accounts/postern-go"
)

// The reply to the ended call is dropped, and the next call gets its own reply.
func TestACallEndsWithItsContext(t *testing.T) {
	client := openFake(t, "late", postern.Options{})
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := client.Call(short, "first", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if result, err := client.Call(limited(t), "second", nil); err != nil || string(result) != `{"id":2}` {
		t.Errorf("got %s, %v", result, err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client.Call(cancelled, "third", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// The pipe is full, so that the request cannot be written before its context ends.
func TestACallWhoseContextEndsBeforeItIsWrittenIsNotSent(t *testing.T) {
	lines := make(chan string, 10)
	client := openFake(t, "waits", postern.Options{Log: func(_ postern.LogLevel, line string) { lines <- line }})
	if line := <-lines; line != "ready" {
		t.Fatal(line)
	}
	first := fillPipe(t, client)
	expire(t, client)
	if err := syscall.Kill(client.PID(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := client.Call(limited(t), "third", nil); err != nil {
		t.Error(err)
	}
	if one, three := <-lines, <-lines; one != "1" || three != "3" {
		t.Errorf("it was sent %s and %s", one, three)
	}
}

// The process is stopped, so that none of these requests is written.
func TestCallsWhoseContextsHaveEndedUseNoMemory(t *testing.T) {
	client := open(t, postern.Options{})
	if err := syscall.Kill(client.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	fillPipe(t, client)
	before := heapBytes()
	for count := 0; count < 100_000; count++ {
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		if _, err := client.Call(ctx, "system.info", nil); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if after := heapBytes(); after > before+4<<20 {
		t.Errorf("%d bytes were in use, and %d are", before, after)
	}
	if err := syscall.Kill(client.PID(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if _, err := client.System.Info(limited(t)); err != nil {
		t.Error(err)
	}
}

func heapBytes() uint64 {
	var statistics runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&statistics)
	return statistics.HeapAlloc
}

// Close ends the input only after all queued requests are written.
func TestCloseWritesQueuedRequests(t *testing.T) {
	lines := make(chan string, 10)
	client := openFake(t, "waits", postern.Options{Log: func(_ postern.LogLevel, line string) { lines <- line }})
	if line := <-lines; line != "ready" {
		t.Fatal(line)
	}
	first, second, closed := fillPipe(t, client), make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := client.Call(limited(t), "second", nil)
		second <- err
	}()
	expire(t, client)
	go func() { closed <- client.Close() }()
	for err := error(nil); !errors.Is(err, postern.ErrClosed); {
		short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		_, err = client.Call(short, "more", nil)
		cancel()
	}
	if err := syscall.Kill(client.PID(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	for _, outcome := range []chan error{first, second, closed} {
		if err := <-outcome; err != nil {
			t.Error(err)
		}
	}
}

// fillPipe makes a call whose request exceeds the capacity of a pipe, and waits until it is being written.
func fillPipe(t *testing.T, client *postern.Client) chan error {
	t.Helper()
	outcome := make(chan error, 1)
	go func() {
		_, err := client.Call(limited(t), "first", map[string]string{"padding": strings.Repeat("x", 1<<20)})
		outcome <- err
	}()
	for held := 0; held == 0; {
		held = unread(t, client.PID())
	}
	return outcome
}

// unread returns how many unread bytes the stdin of a process has.
func unread(t *testing.T, pid int) (bytes int) {
	t.Helper()
	stdin, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/0", pid), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var count int32
	if _, _, errno := syscall.Syscall(
		syscall.SYS_IOCTL, stdin.Fd(), syscall.TIOCINQ, uintptr(unsafe.Pointer(&count)),
	); errno != 0 {
		t.Fatal(errno)
	}
	return int(count)
}

// expire makes a call whose context ends before it can be written.
func expire(t *testing.T, client *postern.Client) {
	t.Helper()
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := client.Call(short, "second", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
