package postern

import (
	"encoding/json"
	"fmt"
)

const (
	// deliveriesMax is how many mails are delivered at the same time. The process opens as many requests, and may open
	// others while a handler hangs.
	deliveriesMax = 4
	// problemBytesMax is how much of a handler's error is sent. The process keeps less of it, and refuses a line that
	// is too long.
	problemBytesMax = 2000

	codeMethodNotFound = -32601
	codeFailed         = -32000
)

// hostMessage is a request or notification that the process sends on its own.
type hostMessage struct {
	// The id; nil for a notification.
	id     json.RawMessage
	method string
	params json.RawMessage
}

// take starts the delivery of a mail, keeps an event, refuses another request, and drops another notification.
func (c *connection) take(message hostMessage) {
	if message.id == nil {
		if message.method == "event" && c.events != nil {
			c.takeEvent(message.params)
		}
		// Any other is a notification of a newer service.
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch {
	case message.method != "mail.deliver" || c.deliverMail == nil:
		c.respond(message.id, codeMethodNotFound, "Method not found: "+message.method)
	case c.deliveries == deliveriesMax:
		// Some of the requests were given up by the process. To keep others waiting would deliver them late.
		c.respond(message.id, codeFailed, fmt.Sprintf("%d mails are being delivered", deliveriesMax))
	case !c.isClosing:
		c.deliveries++
		go c.deliverAndRespond(message)
	}
}

// deliverAndRespond delivers the mail of a request, on a goroutine of its own.
func (c *connection) deliverAndRespond(request hostMessage) {
	code, problem := codeFailed, "the function has ended its goroutine"
	defer func() {
		if fault := recover(); fault != nil {
			problem = fmt.Sprintf("panic: %v", fault)
		}
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.deliveries--
		c.respond(request.id, code, problem)
	}()
	if err := c.deliverRequested(request); err != nil {
		problem = err.Error()
	} else {
		code = 0
	}
}

func (c *connection) deliverRequested(request hostMessage) error {
	var mail ServiceMail
	if err := readResult(request.method, request.params, &mail); err != nil {
		return err
	}
	return c.deliverMail(c.untilEnd, mail)
}

// respond queues a response; code 0 is the result null. The mutex is locked.
func (c *connection) respond(id json.RawMessage, code int, problem string) {
	if len(problem) > problemBytesMax {
		problem = problem[:problemBytesMax]
	}
	response := map[string]any{"jsonrpc": "2.0", "id": id}
	if code == 0 {
		response["result"] = nil
	} else {
		// Marshal replaces bytes that are not UTF-8, such as those of a rune that is cut.
		response["error"] = map[string]any{"code": code, "message": problem}
	}
	if line, err := json.Marshal(response); err == nil {
		c.responses = append(c.responses, append(line, '\n'))
	}
	c.toWrite.Signal()
}
