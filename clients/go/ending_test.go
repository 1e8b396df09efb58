package postern_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

func TestAKilledProcessFailsAllCalls(t *testing.T) {
	client := open(t, postern.Options{Arguments: []string{"--log-level", "info"}})
	const calls = 20
	failures := make(chan error, calls)
	for number := 0; number < calls; number++ {
		go func(number int) {
			for {
				// Each takes 16 ms, so that some are in flight at any time.
				if _, err := client.Operators.Register(limited(t), registration(number)); !isExists(err) && err != nil {
					failures <- err
					return
				}
			}
		}(number)
	}
	if _, err := client.System.Info(limited(t)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(client.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for number := 0; number < calls; number++ {
		var ended *postern.ProcessEnded
		if err := <-failures; !errors.As(err, &ended) || ended.Signal != syscall.SIGKILL || ended.ExitCode != -1 {
			t.Errorf("got %v", err)
		}
	}
	_, err := client.System.Info(limited(t))
	for _, part := range []string{"by signal 9 (killed)", "the outcome is unknown"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %s", err, part)
		}
	}
	var ended *postern.ProcessEnded
	if err := client.Close(); !errors.As(err, &ended) {
		t.Errorf("Close gave %v", err)
	}
}

func isExists(err error) bool { return errors.Is(err, postern.SlugOperatorExists) }

func TestAnEndedProcessIsReportedAndNotRestarted(t *testing.T) {
	starts := filepath.Join(t.TempDir(), "starts")
	client := openFake(t, "dies", postern.Options{Env: []string{"TEST_STARTS=" + starts}})
	for count := 0; count < 3; count++ {
		_, err := client.System.Info(limited(t))
		var ended *postern.ProcessEnded
		if !errors.As(err, &ended) || ended.ExitCode != 3 || ended.Signal != 0 {
			t.Fatalf("got %v", err)
		}
		if len(ended.Stderr) != 20 || ended.Stderr[0] != "line 11" || ended.Stderr[19] != "line 30" {
			t.Errorf("stderr is %q", ended.Stderr)
		}
		if text := err.Error(); !strings.Contains(text, "exit code 3") || !strings.Contains(text, "line 11\nline 12\n") {
			t.Errorf("the message is %s", text)
		}
	}
	if text, err := os.ReadFile(starts); err != nil || string(text) != "started\n" {
		t.Errorf("it was started: %q, %v", text, err)
	}
}

func TestWithNoWaitAnUnknownFlagFailsTheFirstCall(t *testing.T) {
	client := open(t, postern.Options{Arguments: []string{"--no-such-flag"}, NoWait: true})
	_, err := client.System.Info(limited(t))
	if err == nil || !strings.Contains(err.Error(), "exit code 64") || !strings.Contains(err.Error(), "--no-such-flag") {
		t.Errorf("got %v", err)
	}
}

// A child of the process holds its pipes. The client must still see that the process has ended, and stop writing the
// request.
func TestTheEndIsReportedWhileAChildHoldsThePipes(t *testing.T) {
	lines := make(chan string, 1)
	client := openFake(t, "parent", postern.Options{Log: func(_ postern.LogLevel, line string) { lines <- line }})
	start := time.Now()
	_, err := client.Call(limited(t), "anything", map[string]string{"padding": strings.Repeat("x", 1<<20)})
	var ended *postern.ProcessEnded
	if !errors.As(err, &ended) || ended.ExitCode != 4 {
		t.Errorf("got %v", err)
	}
	if elapsed := time.Since(start); elapsed > 10*time.Second {
		t.Errorf("it took %v", elapsed)
	}
	isWriting := func() bool {
		stacks := make([]byte, 1<<20)
		return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "writeLines")
	}
	for ; isWriting(); time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("it is still being written")
		}
	}
	child, err := strconv.Atoi(<-lines)
	if err != nil || syscall.Kill(child, syscall.SIGKILL) != nil {
		t.Errorf("the child has ended: %v", err)
	}
}

// The process replies only after its input has ended.
func TestCallsInFlightGetTheirResultsAfterClose(t *testing.T) {
	const calls = 10
	requests := make(chan string, calls)
	client := openFake(t, "patient", postern.Options{Log: func(_ postern.LogLevel, line string) { requests <- line }})
	outcomes := make(chan error, calls)
	for number := 0; number < calls; number++ {
		go func() {
			_, err := client.Call(limited(t), "anything", nil)
			outcomes <- err
		}()
	}
	for number := 0; number < calls; number++ {
		<-requests
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	for number := 0; number < calls; number++ {
		if err := <-outcomes; err != nil {
			t.Error(err)
		}
	}
}

func TestSeveralGoroutinesCanCloseWithCallsInFlight(t *testing.T) {
	client := open(t, postern.Options{Arguments: []string{"--no-email-confirmation"}})
	register(t, client)
	const calls = 10
	var group sync.WaitGroup
	first := make(chan struct{}, calls)
	for number := 0; number < calls; number++ {
		group.Add(1)
		go func() {
			defer group.Done()
			operator, err := client.Operators.Signin(limited(t), postern.OperatorsSigninParams{
				Email:    "lasoren+0@bu.edu",
				Password: "a long password",
			})
			if err != nil && !errors.Is(err, postern.ErrClosed) || err == nil && operator.ID != 1 {
				t.Errorf("got %v, %v", operator, err)
			}
			first <- struct{}{}
		}()
	}
	<-first
	for number := 0; number < 3; number++ {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.System.Info(limited(t)); !errors.Is(err, postern.ErrClosed) {
		t.Errorf("a call after Close gave %v", err)
	}
	if isAlive(client.PID()) {
		t.Error("the process still runs")
	}
}

func TestCloseTerminatesAProcessThatDoesNotEnd(t *testing.T) {
	for fake, expected := range map[string]syscall.Signal{"deaf": syscall.SIGTERM, "stubborn": syscall.SIGKILL} {
		fake, expected := fake, expected
		t.Run(fake, func(t *testing.T) {
			t.Parallel()
			client := openFake(t, fake, postern.Options{CloseWait: 100 * time.Millisecond})
			if fake == "stubborn" {
				// Once it replies, it ignores SIGTERM.
				if _, err := client.Call(limited(t), "anything", nil); err != nil {
					t.Fatal(err)
				}
			}
			var ended *postern.ProcessEnded
			if err := client.Close(); !errors.As(err, &ended) || ended.Signal != expected {
				t.Errorf("Close gave %v", err)
			}
		})
	}
}

// isAlive reports whether a process runs. A zombie has ended.
func isAlive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestTheProcessHasItsOwnProcessGroup(t *testing.T) {
	client := open(t, postern.Options{})
	group, err := syscall.Getpgid(client.PID())
	if err != nil || group != client.PID() {
		t.Errorf("its group is %d, %v", group, err)
	}
}
