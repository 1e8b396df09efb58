package postern

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// closeWaitDefault is how long Close waits before it sends SIGTERM.
	closeWaitDefault = 30 * time.Second
	// killWait is how long the process may run after SIGTERM.
	killWait = 5 * time.Second
	// drainWait is how long the pipes are read after the process has ended, because a child of the process may hold them
	// open; and how long the process may run after it has closed a pipe.
	drainWait = time.Second
)

// process is the child process and the host's ends of its pipes.
type process struct {
	command   *exec.Cmd
	stdin     *os.File
	stdout    *os.File
	stderr    *stderrReader
	closeWait time.Duration
	// Closed once the process has ended.
	exited chan struct{}
}

// startProcess starts the binary. It does not use the pipes of exec.Cmd: Wait closes them before all output is read,
// and blocks while a child of the process holds one. All pipes are close-on-exec, so that no other child of the host
// keeps the process's stdin open after the host has ended.
func startProcess(options Options) (*process, error) {
	binary, err := findBinary(options.Binary)
	if err != nil {
		return nil, err
	}
	arguments := []string{"--replies", "as-completed", "--framing", "line"}
	if options.Data != "" {
		arguments = append(arguments, "--data", options.Data)
	}
	arguments = append(arguments, options.Arguments...)
	if options.DeliverMail != nil {
		arguments = append(arguments, "--mail", "host")
	}
	arguments = append(arguments, eventFlags(options)...)
	command := exec.Command(binary, arguments...)
	command.Dir = options.Dir
	command.Env = append(os.Environ(), options.Env...)
	// In its own process group, so that Ctrl-C in a terminal reaches only the host.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipes, err := openPipes(3)
	if err != nil {
		return nil, fmt.Errorf("postern: %w", err)
	}
	stdin, stdout, stderr := pipes[0], pipes[1], pipes[2]
	command.Stdin, command.Stdout, command.Stderr = stdin.read, stdout.write, stderr.write
	err = command.Start()
	closeAll(stdin.read, stdout.write, stderr.write)
	if err != nil {
		closeAll(stdin.write, stdout.read, stderr.read)
		return nil, fmt.Errorf("postern: cannot start %s: %w", binary, err)
	}
	started := &process{
		command:   command,
		stdin:     stdin.write,
		stdout:    stdout.read,
		stderr:    readStderr(stderr.read, options.Log),
		closeWait: options.CloseWait,
		exited:    make(chan struct{}),
	}
	if started.closeWait == 0 {
		started.closeWait = closeWaitDefault
	}
	go started.wait()
	return started, nil
}

// wait waits until the process has ended, and sets deadlines so that reading and writing its pipes end too.
func (p *process) wait() {
	// The error is ignored: waitForEnd reads how the process ended from its ProcessState.
	_ = p.command.Wait()
	_ = p.stdout.SetReadDeadline(time.Now().Add(drainWait))
	_ = p.stderr.pipe.SetReadDeadline(time.Now().Add(drainWait))
	_ = p.stdin.SetWriteDeadline(time.Now())
	close(p.exited)
}

// end waits for the process to end, and sends SIGTERM and then SIGKILL if it does not end in time.
func (p *process) end(wait time.Duration) {
	if p.endsWithin(wait) {
		return
	}
	_ = p.command.Process.Signal(syscall.SIGTERM)
	if p.endsWithin(killWait) {
		return
	}
	_ = p.command.Process.Kill()
	<-p.exited
}

func (p *process) endsWithin(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

// waitForEnd waits for the end of the process and for its last lines on stderr, and returns how the process ended.
func (p *process) waitForEnd() *ProcessEnded {
	<-p.exited
	_ = p.stdout.Close()
	ended := &ProcessEnded{ExitCode: -1, Stderr: p.stderr.waitForLast()}
	state := p.command.ProcessState
	if state == nil {
		// The host ignores SIGCHLD, or other code in it has reaped the process by waiting for any child.
		return ended
	}
	ended.ExitCode = state.ExitCode()
	if status, isStatus := state.Sys().(syscall.WaitStatus); isStatus && status.Signaled() {
		ended.Signal = status.Signal()
	}
	return ended
}

type pipe struct{ read, write *os.File }

func openPipes(count int) ([]pipe, error) {
	var pipes []pipe
	for len(pipes) < count {
		read, write, err := os.Pipe()
		if err != nil {
			for _, pipe := range pipes {
				closeAll(pipe.read, pipe.write)
			}
			return nil, err
		}
		pipes = append(pipes, pipe{read, write})
	}
	return pipes, nil
}

func closeAll(files ...*os.File) {
	for _, file := range files {
		_ = file.Close()
	}
}
