package postern

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// message is a reply to a request, or with a method a message that the process sends on its own.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *struct {
		Code    *int64          `json:"code"`
		Message *string         `json:"message"`
		Data    json.RawMessage `json:"data"`
	} `json:"error"`
}

// readMessages reads all replies, and what the process sends on its own, until the end of stdout.
func (c *connection) readMessages() {
	lines := bufio.NewReaderSize(c.process.stdout, 64<<10)
	for {
		c.holdOutput()
		line, err := lines.ReadBytes('\n')
		if err != nil {
			// A line without a line feed is truncated, and dropped.
			break
		}
		if err := c.receive(line); err != nil {
			c.breakOff(err)
			_, _ = io.Copy(io.Discard, lines)
			break
		}
	}
	c.endOf("its stdout is closed")
	c.fail(c.process.waitForEnd())
	close(c.ended)
}

// receive passes a reply to the call that waits for it, and returns an error if the line is not a message.
func (c *connection) receive(line []byte) *ProtocolError {
	if id, result, isResult := resultOf(line); isResult {
		return c.settle(id, func(*request) outcome { return outcome{result: result} })
	}
	var reply message
	if err := json.Unmarshal(line, &reply); err != nil {
		return &ProtocolError{Reason: fmt.Sprintf("a line on its stdout is not a reply (%v): %s", err, excerpt(line))}
	}
	if reply.Method != nil && reply.Version == "2.0" {
		c.take(hostMessage{id: reply.ID, method: *reply.Method, params: reply.Params})
		return nil
	}
	if string(reply.ID) == "null" && reply.Error != nil && reply.Error.Message != nil {
		return &ProtocolError{Reason: "the service could not read a request: " + *reply.Error.Message}
	}
	var id int64
	isAnswer := (reply.Result != nil) != (reply.Error != nil)
	isWhole := reply.Error == nil || reply.Error.Code != nil && reply.Error.Message != nil
	if json.Unmarshal(reply.ID, &id) != nil || reply.Version != "2.0" || !isAnswer || !isWhole {
		return &ProtocolError{Reason: "a line on its stdout is not a reply: " + excerpt(line)}
	}
	return c.settle(id, func(request *request) outcome {
		if failure := reply.Error; failure != nil {
			return outcome{err: callError(request.method, *failure.Code, *failure.Message, failure.Data)}
		}
		return outcome{result: reply.Result}
	})
}

// resultOf splits a reply in the format that Postern writes, `{"jsonrpc":"2.0","id":1,"result":…}`, without parsing the
// result. The calling goroutine parses the result, so that a long one does not delay other replies.
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
func (c *connection) settle(id int64, outcomeOf func(*request) outcome) *ProtocolError {
	c.mutex.Lock()
	request := c.inFlight[id]
	delete(c.inFlight, id)
	c.mutex.Unlock()
	if request == nil {
		return &ProtocolError{Reason: fmt.Sprintf("a reply has the id %d, which no request in flight has", id)}
	}
	request.outcome <- outcomeOf(request)
	return nil
}

// breakOff ends the client after output that is not JSON-RPC.
func (c *connection) breakOff(reason *ProtocolError) {
	c.fail(reason)
	go c.process.end(c.process.closeWait)
}

// endOf fails all calls if the process continues to run after it has closed a pipe, and ends the process.
func (c *connection) endOf(reason string) {
	if !c.process.endsWithin(drainWait) {
		c.fail(&ProtocolError{Reason: reason + ", and it continues to run"})
	}
	c.process.end(c.process.closeWait)
}

// fail fails all calls in flight and all later calls, with the reason of the first call of fail.
func (c *connection) fail(reason Error) {
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
	c.events.wake()
	c.toRead.Signal()
}

// excerpt is the start of a line, for a message; only the length if the line may be part of a reply with a session.
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
