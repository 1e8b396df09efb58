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

// Options say how to start Postern. The zero value starts the `postern` that is on PATH, on ./postern-data.
type Options struct {
	// Binary is the path of the binary, or its name on PATH. If it is empty, the environment variable POSTERN_BIN names
	// the binary, and if that is empty too, it is `postern`.
	Binary string
	// Data is the directory of the data, or `:memory:`; the program's default if it is empty.
	Data string
	// Arguments are further flags, such as `--no-email-confirmation`.
	Arguments []string
	// Dir is the working directory of the process; the host's if it is empty.
	Dir string
	// Env has variables `NAME=value` that are added to the host's environment.
	Env []string
	// Log is called with each line that the process writes to its stderr, one call at a time; if it is nil, the lines go
	// to the host's stderr. If Log is slow, the process does not wait: 16 MiB of lines are buffered, and later lines are
	// dropped.
	Log func(line string)
	// DeliverMail delivers each mail, on a goroutine of its own; the flag `--mail host` is added. If it returns an error,
	// panics, or takes longer than 30 s, the process tries again later. Up to four mails are delivered at the same time.
	// The context ends when the process has ended.
	DeliverMail func(ctx context.Context, mail ServiceMail) error
	// Events makes the process send the events of the audit trail, from now on, which NextEvent returns; the flag
	// `--events` is added.
	Events bool
	// EventsAfter does the same, but from the event after the one with this number, or with 0 from the earliest that is
	// kept.
	EventsAfter *int64
	// CloseWait is how long Close waits for the process to end before it sends SIGTERM; 30 s if it is 0.
	CloseWait time.Duration
	// NoWait makes Open return before the process serves. If the process cannot serve, the first call fails.
	NoWait bool
}

// openWait is how long Open waits for the first reply.
const openWait = time.Minute

// Client is a running Postern process. Any number of goroutines can use it.
//
// The client restarts no process and retries no call: once the process has ended, every call returns [ProcessEnded].
type Client struct {
	Methods

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
	// The events that the program has not taken; nil if the client gets none.
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

// Open starts Postern, and waits for the reply to a `system.info` unless NoWait is set. If the process cannot serve,
// such as with an unknown flag or a damaged store, Open returns a [ProcessEnded] with the last lines of stderr. If the
// contract of the service is older than that of this client, it returns a [ProtocolError].
func Open(options Options) (*Client, error) {
	process, err := startProcess(options)
	if err != nil {
		return nil, err
	}
	client := &Client{
		process:     process,
		deliverMail: options.DeliverMail,
		events:      newEventQueue(options),
		inFlight:    map[int64]*request{},
		ended:       make(chan struct{}),
	}
	untilEnd, end := context.WithCancel(context.Background())
	client.untilEnd = untilEnd
	client.toWrite.L = &client.mutex
	client.toRead.L = &client.mutex
	client.Methods = methodsOf(client)
	go client.writeLines()
	if client.events != nil {
		go client.endHold()
	}
	go func() {
		defer end()
		client.readMessages()
	}()
	if options.NoWait {
		return client, nil
	}
	if err := client.waitUntilReady(); err != nil {
		return nil, err
	}
	return client, nil
}

// waitUntilReady waits for the first reply, and ends the process if none arrives.
func (c *Client) waitUntilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), openWait)
	defer cancel()
	info, err := c.Call(ctx, "system.info", nil)
	if err == nil {
		err = checkContract(info)
	}
	var answer *CallError
	if err == nil || errors.As(err, &answer) {
		// An error reply also shows that the process serves.
		return nil
	}
	_ = c.closeWithin(0)
	return err
}

// PID is the process id.
func (c *Client) PID() int { return c.process.command.Process.Pid }

// Call calls any method, even one that is newer than this client, and returns its result as JSON. The params are a
// value that [json.Marshal] writes as an object, or nil for none. A request that the service cannot parse is refused
// before it is sent, because the service would reply without an id: see [MessageTooLong], [ErrNestedTooDeep] and
// [ErrNotUTF8].
//
// When the context ends, the call returns at once, and its reply is dropped when it arrives. If the request was already
// written, the call may still take effect.
func (c *Client) Call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("postern: %s: %w", method, err)
	}
	id := c.lastID.Add(1)
	line, err := requestLine(id, method, params)
	if err != nil {
		return nil, err
	}
	request := &request{id: id, method: method, line: line, outcome: make(chan outcome, 1)}
	if err := c.enqueue(request); err != nil {
		return nil, err
	}
	select {
	case outcome := <-request.outcome:
		if outcome.err == nil && !json.Valid(outcome.result) {
			err := &ProtocolError{Reason: "a line on its stdout is not a reply: its result is not JSON"}
			c.breakOff(err)
			return nil, err
		}
		return outcome.result, outcome.err
	case <-ctx.Done():
		c.abandon(request)
		return nil, fmt.Errorf("postern: %s: %w", method, ctx.Err())
	}
}

// call calls a method and reads its result.
func call[Result any](ctx context.Context, service *Client, method string, params any) (*Result, error) {
	raw, err := service.Call(ctx, method, params)
	if err != nil {
		return nil, err
	}
	result := new(Result)
	if err := readResult(method, raw, result); err != nil {
		return nil, err
	}
	return result, nil
}

// Close ends the process and waits until it has ended. New calls are refused, calls in flight get their results, and
// deliveries are finished. If the process does not end within CloseWait, Close sends SIGTERM, and 5 s later SIGKILL. It returns an error unless the
// process exited with code 0. It is idempotent, and several goroutines can call it.
func (c *Client) Close() error { return c.closeWithin(c.process.closeWait) }

func (c *Client) closeWithin(wait time.Duration) error {
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

func (c *Client) enqueue(request *request) error {
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
func (c *Client) abandon(request *request) {
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
func (c *Client) writeLines() {
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
func (c *Client) nextLines() [][]byte {
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
