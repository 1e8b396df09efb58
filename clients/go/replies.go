package postern

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
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
			c.fail(err)
			go c.process.end()
			io.Copy(io.Discard, lines)
			break
		}
	}
	c.endOf("its stdout is closed")
	c.fail(c.process.waitForEnd())
	close(c.ended)
}

// deliver hands a reply to the call that waits for it, and gives an error where it is none.
func (c *Client) deliver(line []byte) Error {
	var reply reply
	if err := json.Unmarshal(line, &reply); err != nil {
		return &ProtocolError{Reason: fmt.Sprintf("a line on its stdout is no reply (%v): %s", err, excerpt(line))}
	}
	var id int64
	isAnswer := (reply.Result != nil) != (reply.Error != nil)
	isWhole := reply.Error == nil || reply.Error.Code != nil && reply.Error.Message != nil
	if json.Unmarshal(reply.ID, &id) != nil || reply.Version != "2.0" || !isAnswer || !isWhole {
		return &ProtocolError{Reason: "a line on its stdout is no reply: " + excerpt(line)}
	}
	c.mutex.Lock()
	request := c.inFlight[id]
	delete(c.inFlight, id)
	c.mutex.Unlock()
	if request == nil {
		return &ProtocolError{Reason: fmt.Sprintf("a reply has the id %d, which no request waits with", id)}
	}
	if failure := reply.Error; failure != nil {
		request.outcome <- outcome{err: callError(request.method, *failure.Code, *failure.Message, failure.Data)}
	} else {
		request.outcome <- outcome{result: reply.Result}
	}
	return nil
}

// endOf fails all calls where the process runs on without one of its pipes, and waits for its end.
func (c *Client) endOf(reason string) {
	if !c.process.endsWithin(drainWait) {
		c.fail(&ProtocolError{Reason: reason + ", and it runs on"})
	}
	c.process.end()
}

// fail ends all calls in flight, and later ones as well. The first reason counts.
func (c *Client) fail(reason Error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.failure == nil {
		c.failure = reason
	}
	for _, request := range c.inFlight {
		request.line = nil
		request.outcome <- outcome{err: c.failure}
	}
	c.inFlight = map[int64]*request{}
	c.queue = nil
	c.toWrite.Signal()
}

// excerpt is the beginning of a line, for a message.
func excerpt(line []byte) string {
	const bytesMax = 200
	if len(line) > bytesMax {
		return fmt.Sprintf("%q…", line[:bytesMax])
	}
	return fmt.Sprintf("%q", line)
}
