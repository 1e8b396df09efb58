package postern

import (
	"bufio"
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// openWait is how long a start waits for the first reply.
const openWait = time.Minute

// connection is a running process, and the calls that wait for its replies. Once the process has ended, every call
// returns the failure.
type connection struct {
	process *process
	lastID  atomic.Int64

	deliverMail func(context.Context, ServiceMail) error
	// Ends once the process has ended.
	untilEnd context.Context

	mutex sync.Mutex
	// Signalled when a request or response is queued, and when no more requests can be.
	toWrite sync.Cond
	// The requests that wait to be written.
	queue list.List
	// The requests without a reply yet, including those whose contexts have ended.
	inFlight map[int64]*request
	// The responses that wait to be written.
	responses [][]byte
	// How many mails are being delivered.
	deliveries int
	// The events that the program has not taken; nil if the client gets none. It stays the same queue.
	events *eventQueue
	// Signalled when the output may be read on.
	toRead sync.Cond
	// Whether the process has ended; only set for a client that gets events.
	hasExited bool
	isClosing bool
	// The error of all calls, once the client has failed.
	failure Error
	// Closed once the process has ended and all its output is read.
	ended chan struct{}
}

// request is a request that has no reply yet.
type request struct {
	id     int64
	method string
	// The message with its line feed.
	line []byte
	// Its element in the queue; nil once it is being written or is abandoned.
	place *list.Element
	// Has a buffer for the outcome, so that sending it never blocks.
	outcome chan outcome
}

type outcome struct {
	result json.RawMessage
	err    error
}

// connect starts a process, whose events go into the queue; nil if it sends none.
func connect(options Options, events *eventQueue) (*connection, error) {
	process, err := startProcess(options)
	if err != nil {
		return nil, err
	}
	c := &connection{
		process:     process,
		deliverMail: options.DeliverMail,
		events:      events,
		inFlight:    map[int64]*request{},
		ended:       make(chan struct{}),
	}
	untilEnd, end := context.WithCancel(context.Background())
	c.untilEnd = untilEnd
	c.toWrite.L = &c.mutex
	c.toRead.L = &c.mutex
	go c.writeLines()
	if c.events != nil {
		go c.endHold()
	}
	go func() {
		defer end()
		c.readMessages()
	}()
	return c, nil
}

// waitUntilReady waits for the first reply, and ends the process if none arrives or if its `system.info` does not pass
// the check.
func (c *connection) waitUntilReady(wait time.Duration, check func(info json.RawMessage) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	info, err := c.call(ctx, "system.info", nil)
	if errors.Is(err, context.DeadlineExceeded) {
		// The context of a call that waits for this start has not ended.
		err = &ProtocolError{Reason: fmt.Sprintf("the process gave no reply within %v s", wait.Seconds())}
	}
	if err == nil {
		err = check(info)
	}
	var answer *CallError
	if err == nil || errors.As(err, &answer) {
		// An error reply also shows that the process serves.
		return nil
	}
	_ = c.closeWithin(0)
	return err
}

func (c *connection) pid() int { return c.process.command.Process.Pid }

// call sends a request and returns its result as JSON.
func (c *connection) call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	result, _, err := c.send(ctx, method, params)
	return result, err
}

// send sends a request and returns its result as JSON. It also reports whether the request was passed on to the
// process, or may have been.
func (c *connection) send(ctx context.Context, method string, params any) (json.RawMessage, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, fmt.Errorf("postern: %s: %w", method, err)
	}
	id := c.lastID.Add(1)
	line, err := requestLine(id, method, params)
	if err != nil {
		return nil, false, err
	}
	request := &request{id: id, method: method, line: line, outcome: make(chan outcome, 1)}
	if err := c.enqueue(request); err != nil {
		return nil, false, err
	}
	select {
	case outcome := <-request.outcome:
		if outcome.err == nil && !json.Valid(outcome.result) {
			err := &ProtocolError{Reason: "a line on its stdout is not a reply: its result is not JSON"}
			c.breakOff(err)
			return nil, true, err
		}
		return outcome.result, true, outcome.err
	case <-ctx.Done():
		c.abandon(request)
		return nil, true, fmt.Errorf("postern: %s: %w", method, ctx.Err())
	}
}

func (c *connection) close() error { return c.closeWithin(c.process.closeWait) }

func (c *connection) closeWithin(wait time.Duration) error {
	c.mutex.Lock()
	c.isClosing = true
	c.events.wake()
	c.toRead.Signal()
	c.mutex.Unlock()
	c.toWrite.Signal()
	c.process.end(wait)
	<-c.ended
	if ended, isEnd := c.failure.(*ProcessEnded); isEnd && ended.ExitCode == 0 {
		return nil
	}
	return c.failure
}

// hasEnded reports whether the process has ended.
func (c *connection) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// hasFailedWith reports whether an error is that of the end of the process.
func (c *connection) hasFailedWith(err error) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.failure != nil && err == error(c.failure)
}

func (c *connection) enqueue(request *request) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.isClosing {
		return ErrClosed
	}
	if c.failure != nil {
		return c.failure
	}
	c.inFlight[request.id] = request
	request.place = c.queue.PushBack(request)
	c.toWrite.Signal()
	c.toRead.Signal()
	return nil
}

// abandon removes a request from the queue, unless it is being written or is written.
func (c *connection) abandon(request *request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if request.place != nil {
		c.queue.Remove(request.place)
		request.place = nil
		delete(c.inFlight, request.id)
	}
}

// writeLines writes all requests and responses. Callers do not write: a call whose context ends must return even if the
// process reads nothing.
func (c *connection) writeLines() {
	defer c.process.stdin.Close()
	writer := bufio.NewWriterSize(c.process.stdin, 64<<10)
	for lines := c.nextLines(); len(lines) > 0; lines = c.nextLines() {
		for _, line := range lines {
			// A failed write makes the flush fail.
			_, _ = writer.Write(line)
		}
		if writer.Flush() != nil {
			c.endOf("its stdin is closed")
			return
		}
	}
}

// nextLines waits for requests and responses to write, and returns all of them, or none at the end.
func (c *connection) nextLines() [][]byte {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for {
		lines := c.responses
		c.responses = nil
		for first := c.queue.Front(); first != nil; first = c.queue.Front() {
			request := c.queue.Remove(first).(*request)
			lines = append(lines, request.line)
			request.line, request.place = nil, nil
		}
		if len(lines) > 0 || c.isClosing && c.deliveries == 0 || c.failure != nil {
			return lines
		}
		c.toWrite.Wait()
	}
}
