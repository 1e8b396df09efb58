package postern

import (
	"context"
	"encoding/json"
)

// Client is a running Postern process, or with [Options].Supervise one process after another. Any number of goroutines
// can use it.
//
// Without Supervise, the client restarts no process and retries no call: once the process has ended, every call returns
// [ProcessEnded].
type Client struct {
	Methods

	calls calls
}

// calls are the calls of one process, or of one process after another.
type calls interface {
	pid() int
	call(ctx context.Context, method string, params any) (json.RawMessage, error)
	nextEvent(ctx context.Context) (*Event, error)
	close() error
}

// Open starts Postern, and waits for the reply to a `system.info` unless NoWait is set. If the process cannot serve,
// such as with an unknown flag or a damaged store, Open returns a [ProcessEnded] with the last lines of stderr. If the
// contract of the service is older than that of this client, or of another major version, it returns a [ProtocolError].
func Open(options Options) (*Client, error) {
	calls, err := open(options)
	if err != nil {
		return nil, err
	}
	client := &Client{calls: calls}
	client.Methods = methodsOf(client)
	return client, nil
}

func open(options Options) (calls, error) {
	if err := checkSupervision(options); err != nil {
		return nil, err
	}
	if options.Supervise {
		return supervise(options)
	}
	connection, err := connect(options, newEventQueue(options))
	if err != nil {
		return nil, err
	}
	if options.NoWait {
		return connection, nil
	}
	if err := connection.waitUntilReady(openWait, checkContract); err != nil {
		return nil, err
	}
	return connection, nil
}

// PID is the process id; with Supervise, that of the last process that has served.
func (c *Client) PID() int { return c.calls.pid() }

// Call calls any method, even one that is newer than this client, and returns its result as JSON. The params are a
// value that [json.Marshal] writes as an object, or nil for none. A request that the service cannot parse is refused
// before it is sent, because the service would reply without an id: see [MessageTooLong], [ErrNestedTooDeep] and
// [ErrNotUTF8].
//
// When the context ends, the call returns at once, and its reply is dropped when it arrives. If the request was already
// written, the call may still take effect.
func (c *Client) Call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	return c.calls.call(ctx, method, params)
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
// deliveries are finished. If the process does not end within CloseWait, Close sends SIGTERM, and 5 s later SIGKILL. It
// returns an error unless the process exited with code 0. It is idempotent, and several goroutines can call it.
func (c *Client) Close() error { return c.calls.close() }

// NextEvent waits for the next event of the audit trail and returns it. Each event arrives after it is durable, in the
// order of Seq, also those that other processes have caused.
//
// Keep the Seq of the last event that was processed, and open the next client with it as EventsAfter: no event is
// missed. An event can come again, always with the same Seq. Several goroutines share the events.
//
//	for {
//		event, err := client.NextEvent(ctx)
//		if err != nil {
//			return err
//		}
//		fmt.Println(event.Kind, event.Seq)
//	}
//
// While 1,000 events are not taken and no call is in flight, the client reads nothing, and the process holds the others
// back. With DeliverMail, mails wait too then. Calls get their replies all the same; the events that come between these
// are kept up to 20,000. If more were not taken, the error is an [EventsLost] after those that were kept.
//
// After Close the error is [ErrClosed], and after the end of the process a [ProcessEnded].
func (c *Client) NextEvent(ctx context.Context) (*Event, error) { return c.calls.nextEvent(ctx) }
