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
	// Binary is the path of the program, or its name on PATH. Where it is empty, the environment's POSTERN_BIN says it,
	// and where that is empty too, it is `postern`.
	Binary string
	// Data is the directory where the data live, or `:memory:`. Where it is empty, the program's own default holds.
	Data string
	// Arguments are further flags, such as `--no-email-confirmation`.
	Arguments []string
	// Dir is the directory that the process runs in; the host's own where it is empty.
	Dir string
	// Env is added to the host's environment, as `NAME=value`.
	Env []string
	// Log is given each line that the process writes to its stderr, one after the other; where it is nil, they go to the
	// host's stderr. It may be slow: the process never waits for it, and past 16 MiB of lines that wait some are left out.
	Log func(line string)
	// CloseWait is how long Close waits for the process to end by itself before it is sent SIGTERM; 30 s where it is 0.
	CloseWait time.Duration
	// NoWait lets Open return before the process serves. What keeps it from that then shows in the first call.
	NoWait bool
}

// openWait is how long Open waits for the first reply.
const openWait = time.Minute

// Client is a running Postern. It may be used from any number of goroutines.
//
// Nothing is tried again, and nothing is started again: once the process has ended, every call gives [ProcessEnded].
type Client struct {
	Methods

	process *process
	lastID  atomic.Int64

	mutex sync.Mutex
	// Signalled where there is something to write, and where nothing will be any more.
	toWrite sync.Cond
	// The requests that wait to be written.
	queue list.List
	// The requests whose replies are to come, also those that nobody waits for any more.
	inFlight  map[int64]*request
	isClosing bool
	// Why there are no replies any more.
	failure Error
	// Closed once the process has ended and all that it wrote is read.
	ended chan struct{}
}

// request is one that is under way.
type request struct {
	id     int64
	method string
	// The message with its line feed.
	line []byte
	// Where it waits to be written; nil once that has begun, or need not be done.
	place *list.Element
	// Has room for the one outcome, so that whoever brings it never waits.
	outcome chan outcome
}

type outcome struct {
	result json.RawMessage
	err    error
}

// Open starts Postern, and waits for the reply to a `system.info` unless NoWait is set. A process that cannot serve, as
// with a flag that it refuses or a store that is damaged, gives a [ProcessEnded] with its last lines on stderr.
func Open(options Options) (*Client, error) {
	process, err := startProcess(options)
	if err != nil {
		return nil, err
	}
	client := &Client{process: process, inFlight: map[int64]*request{}, ended: make(chan struct{})}
	client.toWrite.L = &client.mutex
	client.Methods = methodsOf(client)
	go client.writeRequests()
	go client.readReplies()
	if options.NoWait {
		return client, nil
	}
	if err := client.waitUntilReady(); err != nil {
		return nil, err
	}
	return client, nil
}

// waitUntilReady waits for the first reply, and ends the process where none comes.
func (c *Client) waitUntilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), openWait)
	defer cancel()
	_, err := c.Call(ctx, "system.info", nil)
	var answer *CallError
	if err == nil || errors.As(err, &answer) {
		// An error that the service answers with is an answer as well.
		return nil
	}
	_ = c.closeWithin(0)
	return err
}

// PID is the number of the process.
func (c *Client) PID() int { return c.process.command.Process.Pid }

// Call calls any method, also one that this client does not know, and gives its result as it came. The params are what
// [json.Marshal] makes an object of, or nil for none. What the service could not read is refused before it is sent, as
// it would be answered without saying whose it was: see [MessageTooLong], [ErrNestedTooDeep] and [ErrNotUTF8].
//
// When the context ends, the call does at once, and its reply is dropped when it comes; unless the request was not yet
// written, it may still take effect.
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
			err := &ProtocolError{Reason: "a line on its stdout is no reply, as its result is no JSON"}
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

// Close ends the process: no new call is taken, calls in flight get their results, and the process ends by itself, or
// after CloseWait by SIGTERM, and 5 s later by SIGKILL. It waits for all that, gives an error unless the process
// ended well, and may be called again and from several goroutines.
func (c *Client) Close() error { return c.closeWithin(c.process.closeWait) }

func (c *Client) closeWithin(wait time.Duration) error {
	c.mutex.Lock()
	c.isClosing = true
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
	return nil
}

// abandon makes sure that a request is not written, if that has not begun.
func (c *Client) abandon(request *request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if request.place != nil {
		c.queue.Remove(request.place)
		request.place = nil
		delete(c.inFlight, request.id)
	}
}

// writeRequests is the one that writes. Callers don't write themselves, as one whose context ends must not wait for a
// process that reads nothing.
func (c *Client) writeRequests() {
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

// nextLines waits for requests to write, and gives all there are, or none at the end.
func (c *Client) nextLines() [][]byte {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for {
		var lines [][]byte
		for first := c.queue.Front(); first != nil; first = c.queue.Front() {
			request := c.queue.Remove(first).(*request)
			lines = append(lines, request.line)
			request.line, request.place = nil, nil
		}
		if len(lines) > 0 || c.isClosing || c.failure != nil {
			return lines
		}
		c.toWrite.Wait()
	}
}
