package postern

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// reply is what comes back for a request.
type reply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   *struct {
		Code    *int64          `json:"code"`
		Message *string         `json:"message"`
		Data    json.RawMessage `json:"data"`
	} `json:"error"`
}

// readReplies is the one that reads, whatever the callers do, until there is nothing more.
func (c *Client) readReplies() {
	lines := bufio.NewReaderSize(c.process.stdout, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			// A line that is cut off is no reply.
			break
		}
		if err := c.deliver(line); err != nil {
			c.breakOff(err)
			_, _ = io.Copy(io.Discard, lines)
			break
		}
	}
	c.endOf("its stdout is closed")
	c.fail(c.process.waitForEnd())
	close(c.ended)
}

// deliver hands a reply to the call that waits for it, and gives an error where it is none.
func (c *Client) deliver(line []byte) *ProtocolError {
	if id, result, isResult := resultOf(line); isResult {
		return c.settle(id, func(*request) outcome { return outcome{result: result} })
	}
	var reply reply
	if err := json.Unmarshal(line, &reply); err != nil {
		return &ProtocolError{Reason: fmt.Sprintf("a line on its stdout is no reply (%v): %s", err, excerpt(line))}
	}
	if string(reply.ID) == "null" && reply.Error != nil && reply.Error.Message != nil {
		return &ProtocolError{Reason: "the service could not read a request: " + *reply.Error.Message}
	}
	var id int64
	isAnswer := (reply.Result != nil) != (reply.Error != nil)
	isWhole := reply.Error == nil || reply.Error.Code != nil && reply.Error.Message != nil
	if json.Unmarshal(reply.ID, &id) != nil || reply.Version != "2.0" || !isAnswer || !isWhole {
		return &ProtocolError{Reason: "a line on its stdout is no reply: " + excerpt(line)}
	}
	return c.settle(id, func(request *request) outcome {
		if failure := reply.Error; failure != nil {
			return outcome{err: callError(request.method, *failure.Code, *failure.Message, failure.Data)}
		}
		return outcome{result: reply.Result}
	})
}

// resultOf takes a reply apart that is written as Postern writes one, `{"jsonrpc":"2.0","id":1,"result":…}`, without
// looking at the result. Whoever called reads that, so that a long one keeps no other waiting.
func resultOf(line []byte) (id int64, result []byte, isResult bool) {
	head, tail := []byte(`{"jsonrpc":"2.0","id":`), []byte("}\n")
	if !bytes.HasPrefix(line, head) || !bytes.HasSuffix(line, tail) {
		return 0, nil, false
	}
	digits, result, isResult := bytes.Cut(line[len(head):len(line)-len(tail)], []byte(`,"result":`))
	id, err := strconv.ParseInt(string(digits), 10, 64)
	return id, result, isResult && err == nil
}

// settle ends a request with its outcome.
func (c *Client) settle(id int64, outcomeOf func(*request) outcome) *ProtocolError {
	c.mutex.Lock()
	request := c.inFlight[id]
	delete(c.inFlight, id)
	c.mutex.Unlock()
	if request == nil {
		return &ProtocolError{Reason: fmt.Sprintf("a reply has the id %d, which no request waits with", id)}
	}
	request.outcome <- outcomeOf(request)
	return nil
}

// breakOff ends the client where the process doesn't keep to the protocol.
func (c *Client) breakOff(reason *ProtocolError) {
	c.fail(reason)
	go c.process.end(c.process.closeWait)
}

// endOf fails all calls where the process runs on without one of its pipes, and waits for its end.
func (c *Client) endOf(reason string) {
	if !c.process.endsWithin(drainWait) {
		c.fail(&ProtocolError{Reason: reason + ", and it runs on"})
	}
	c.process.end(c.process.closeWait)
}

// fail ends all calls in flight, and later ones as well. The first reason counts.
func (c *Client) fail(reason Error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.failure == nil {
		c.failure = reason
	}
	for _, request := range c.inFlight {
		request.place = nil
		request.outcome <- outcome{err: c.failure}
	}
	c.inFlight = map[int64]*request{}
	c.queue.Init()
	c.toWrite.Signal()
}

// excerpt is the beginning of a line, for a message; not of one that may be a part of a reply, and hold a session.
func excerpt(line []byte) string {
	const bytesMax = 200
	switch {
	case bytes.ContainsRune(line, '{'):
		return fmt.Sprintf("%d bytes", len(line))
	case len(line) > bytesMax:
		return fmt.Sprintf("%q…", line[:bytesMax])
	default:
		return fmt.Sprintf("%q", line)
	}
}
