package postern_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

// hosts are programs that use a client. Tests run them as processes.
var hosts = map[string]func(){
	// Opens a client, starts another child, and runs until it is killed.
	"stays": func() {
		client, err := postern.Open(postern.Options{Data: ":memory:"})
		if err != nil {
			panic(err)
		}
		if _, err := client.System.Info(context.Background()); err != nil {
			panic(err)
		}
		other := exec.Command("sleep", "60")
		if err := other.Start(); err != nil {
			panic(err)
		}
		fmt.Println(client.PID(), other.Process.Pid)
		select {}
	},
	// Ignores SIGCHLD, so that the system keeps no exit code.
	"ignores SIGCHLD": func() {
		signal.Ignore(syscall.SIGCHLD)
		client, err := postern.Open(postern.Options{Data: ":memory:"})
		if err != nil {
			panic(err)
		}
		_, err = client.System.Info(context.Background())
		fmt.Println(err)
		fmt.Println(client.Close())
	},
	// Opens clients with a growing limit of descriptors, starting with none free, and counts the outcomes.
	"is short of descriptors": func() {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			panic(err)
		}
		descriptors := func() int {
			entries, err := os.ReadDir("/proc/self/fd")
			if err != nil {
				panic(err)
			}
			return len(entries)
		}
		opens := func() error {
			client, err := postern.Open(postern.Options{Data: ":memory:", Log: func(postern.LogLevel, string) {}})
			if err != nil {
				return err
			}
			return client.Close()
		}
		if err := opens(); err != nil {
			panic(err)
		}
		refused, opened := 0, 0
		before := descriptors()
		for most := before - 1; most < before+20; most++ {
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: uint64(most), Max: limit.Max}); err != nil {
				panic(err)
			}
			err := opens()
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
				panic(err)
			}
			var ended *postern.ProcessEnded
			switch {
			case err == nil:
				opened++
			case errors.Is(err, syscall.EMFILE) || errors.As(err, &ended):
				refused++
			default:
				fmt.Println(err)
			}
			if after := descriptors(); after != before {
				fmt.Printf("%d descriptors became %d\n", before, after)
			}
		}
		_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		fmt.Println(refused > 4, opened > 4, err)
	},
	// Calls a process that writes a megabyte to stderr before each reply.
	"has a chatty client": func() {
		binary, err := os.Executable()
		if err != nil {
			panic(err)
		}
		os.Unsetenv("TEST_HOST")
		client, err := postern.Open(postern.Options{Binary: binary, Env: []string{"TEST_FAKE=chatty"}})
		if err != nil {
			panic(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for count := 0; count < 3; count++ {
			if _, err := client.Call(ctx, "anything", nil); err != nil {
				panic(err)
			}
		}
		if err := client.Close(); err != nil {
			panic(err)
		}
		fmt.Println("answered")
	},
	// Has a pipe without a reader as stderr, to which the client writes.
	"is not read": func() {
		reader, writer, err := os.Pipe()
		if err != nil {
			panic(err)
		}
		if err := syscall.Dup2(int(writer.Fd()), syscall.Stderr); err != nil {
			panic(err)
		}
		reader.Close()
		writer.Close()
		client, err := postern.Open(postern.Options{Arguments: []string{"--no-such-flag"}, NoWait: true})
		if err != nil {
			panic(err)
		}
		_, err = client.System.Info(context.Background())
		fmt.Println(err)
	},
}

func hostCommand(t *testing.T, kind string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host := exec.Command(binary)
	host.Env = append(os.Environ(), "TEST_HOST="+kind)
	return host
}

// The host is killed while another child of the host, started after the client, is alive.
func TestTheProcessEndsWhenTheHostIsKilled(t *testing.T) {
	host := hostCommand(t, "stays")
	output, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var postern, other int
	if _, err := fmt.Sscan(line, &postern, &other); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(other, syscall.SIGKILL)
	if !isAlive(postern) || !isAlive(other) {
		t.Fatal("a child does not run")
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := host.Wait(); err == nil {
		t.Fatal("the host was not killed")
	}
	for deadline := time.Now().Add(5 * time.Second); isAlive(postern); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the process outlives its host")
		}
	}
	if !isAlive(other) {
		t.Error("the other child has ended, so the test proves nothing")
	}
}

func TestAHostCanIgnoreSIGCHLD(t *testing.T) {
	output, err := hostCommand(t, "ignores SIGCHLD").CombinedOutput()
	call, end, _ := bytes.Cut(output, []byte("\n"))
	if err != nil || string(call) != "<nil>" || !strings.Contains(string(end), "with an unknown exit status") {
		t.Errorf("%v: %s", err, output)
	}
}

func TestAStderrWithoutAReaderDoesNotEndTheHost(t *testing.T) {
	output, err := hostCommand(t, "is not read").Output()
	if err != nil || !strings.Contains(string(output), "exit code 64") {
		t.Errorf("%v: %s", err, output)
	}
}

func TestAFailedOpeningLeavesNoDescriptorAndNoProcess(t *testing.T) {
	output, err := hostCommand(t, "is short of descriptors").CombinedOutput()
	if err != nil || string(output) != "true true no child processes\n" {
		t.Errorf("%v: %s", err, output)
	}
}

func TestAFullPipeAsStderrBlocksNeitherHostNorProcess(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	host := hostCommand(t, "has a chatty client")
	// Writes to it block in the host, because Go's poller does not use an inherited descriptor.
	host.Stderr = writer
	output, err := host.Output()
	if err != nil || string(output) != "answered\n" {
		t.Errorf("%v: %s", err, output)
	}
}
