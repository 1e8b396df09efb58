package postern

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// closeWaitDefault is how long the process has to end by itself.
	closeWaitDefault = 30 * time.Second
	// killWait is how long it has to end after SIGTERM.
	killWait = 5 * time.Second
	// drainWait is how long its pipes are read on once it has ended, as a child of its own may hold them open, and how
	// long it has to end once it has closed one.
	drainWait = time.Second
)

// process is the child, with our ends of its pipes.
type process struct {
	command   *exec.Cmd
	stdin     *os.File
	stdout    *os.File
	stderr    *stderrReader
	closeWait time.Duration
	// Closed once it has ended.
	exited chan struct{}
}

// startProcess starts the binary. The pipes are our own rather than those of exec.Cmd, whose Wait closes them before
// all is read, and waits for as long as some child of the process holds one. All of ours are close-on-exec, so that no
// other child of the host keeps the process's stdin open when the host is gone.
func startProcess(options Options) (*process, error) {
	binary, err := findBinary(options.Binary)
	if err != nil {
		return nil, err
	}
	arguments := []string{"--replies", "as-completed", "--framing", "line"}
	if options.Data != "" {
		arguments = append(arguments, "--data", options.Data)
	}
	command := exec.Command(binary, append(arguments, options.Arguments...)...)
	command.Dir = options.Dir
	command.Env = append(os.Environ(), options.Env...)
	// In a process group of its own, so that Ctrl-C in a terminal reaches the host alone.
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

// wait waits for the process to end, and sees to it that its pipes then do.
func (p *process) wait() {
	// How it ended is read from its state.
	_ = p.command.Wait()
	_ = p.stdout.SetReadDeadline(time.Now().Add(drainWait))
	_ = p.stderr.pipe.SetReadDeadline(time.Now().Add(drainWait))
	_ = p.stdin.SetWriteDeadline(time.Now())
	close(p.exited)
}

// end waits for the process to end by itself, and makes it end where it doesn't in that time.
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

// waitForEnd waits for the process to end, for its last lines on stderr, and says how it ended.
func (p *process) waitForEnd() *ProcessEnded {
	<-p.exited
	_ = p.stdout.Close()
	ended := &ProcessEnded{ExitCode: -1, Stderr: p.stderr.waitForLast()}
	state := p.command.ProcessState
	if state == nil {
		// The host ignores SIGCHLD, or something in it waits for any child and was first.
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
