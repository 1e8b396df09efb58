package postern

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// lastLinesMax is how many lines are kept for ProcessEnded.
	lastLinesMax = 20
	// waitingBytesMax is how many bytes of lines are buffered for a slow Log.
	waitingBytesMax = 16 << 20
	// logWait is how long the end of the client waits for a slow Log.
	logWait = time.Second
)

// stderrReader reads the stderr of the process on one goroutine, so that the pipe never fills. Another goroutine passes
// the lines on, because the log may be slow, or may wait for the call during which they were written.
type stderrReader struct {
	pipe *os.File

	mutex sync.Mutex
	// Signalled when a line waits to be passed on, and at the end.
	toPass       sync.Cond
	waiting      []string
	waitingBytes int
	leftOut      int
	last         []string
	isRead       bool
	// Closed once all lines are read, and once all are passed on.
	read, passed chan struct{}
}

func readStderr(pipe *os.File, log func(level LogLevel, message string)) *stderrReader {
	reader := &stderrReader{pipe: pipe, read: make(chan struct{}), passed: make(chan struct{})}
	reader.toPass.L = &reader.mutex
	go reader.readLines()
	go reader.passOn(lineLog(log))
	return reader
}

// writeToHost writes a line to the host's stderr. It does not use [os.File.Write], which ends the host with SIGPIPE if
// stderr is a pipe without a reader.
func writeToHost(line string) {
	stderr, err := os.Stderr.SyscallConn()
	if err != nil {
		return
	}
	rest := []byte(line + "\n")
	_ = stderr.Write(func(descriptor uintptr) bool {
		for len(rest) > 0 {
			count, err := syscall.Write(int(descriptor), rest)
			switch {
			case err == nil:
				rest = rest[count:]
			case err != syscall.EINTR:
				return err != syscall.EAGAIN
			}
		}
		return true
	})
}

func (r *stderrReader) readLines() {
	lines := bufio.NewReaderSize(r.pipe, 64<<10)
	for {
		// A line that is longer than the buffer arrives in pieces.
		line, _, err := lines.ReadLine()
		if err != nil {
			break
		}
		r.add(string(line))
	}
	_ = r.pipe.Close()
	r.mutex.Lock()
	r.isRead = true
	r.mutex.Unlock()
	r.toPass.Signal()
	close(r.read)
}

func (r *stderrReader) add(line string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(r.last) == lastLinesMax {
		r.last = r.last[1:]
	}
	r.last = append(r.last, line)
	if r.waitingBytes+len(line) > waitingBytesMax {
		r.leftOut++
		return
	}
	r.waiting = append(r.waiting, line)
	r.waitingBytes += len(line)
	r.toPass.Signal()
}

func (r *stderrReader) passOn(log func(line string)) {
	defer close(r.passed)
	for {
		lines, leftOut := r.next()
		if len(lines) == 0 {
			return
		}
		for _, line := range lines {
			log(line)
		}
		if leftOut > 0 {
			log(fmt.Sprintf("postern: %d lines of its stderr are left out here, as the log is slow", leftOut))
		}
	}
}

// next waits for lines to pass on, and returns none at the end.
func (r *stderrReader) next() (lines []string, leftOut int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for len(r.waiting) == 0 && !r.isRead {
		r.toPass.Wait()
	}
	lines, leftOut = r.waiting, r.leftOut
	r.waiting, r.waitingBytes, r.leftOut = nil, 0, 0
	return lines, leftOut
}

// waitForLast waits until all lines are read, waits up to logWait until they are passed on, and returns the last lines.
func (r *stderrReader) waitForLast() []string {
	<-r.read
	timer := time.NewTimer(logWait)
	defer timer.Stop()
	select {
	case <-r.passed:
	case <-timer.C:
	}
	return r.last
}
