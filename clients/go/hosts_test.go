package postern_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	postern "postern/clients/go"
)

// hosts are programs that use a client, in processes of their own.
var hosts = map[string]func(){
	// Has another child beside the client, and stays.
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
	// Is never told how its children end.
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
	// Has a stderr that nobody reads, which the client writes to.
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
	host.Env = append(os.Environ(), "POSTERN_TEST_HOST="+kind)
	return host
}

// The host is killed while another child of it, which was started after the client, is alive.
func TestAKilledHostLeavesNoOrphan(t *testing.T) {
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
		t.Fatal("the children are not there")
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
		t.Error("the other child is gone, so that it shows nothing")
	}
}

func TestAHostThatIgnoresSIGCHLD(t *testing.T) {
	output, err := hostCommand(t, "ignores SIGCHLD").CombinedOutput()
	call, end, _ := bytes.Cut(output, []byte("\n"))
	if err != nil || string(call) != "<nil>" || !strings.Contains(string(end), "in a way that the host was not told") {
		t.Errorf("%v: %s", err, output)
	}
}

func TestAHostWhoseStderrNobodyReads(t *testing.T) {
	output, err := hostCommand(t, "is not read").Output()
	if err != nil || !strings.Contains(string(output), "exit code 64") {
		t.Errorf("%v: %s", err, output)
	}
}
