package postern

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

const (
	// eventsHeld is how many events wait before the client reads no further output, unless a call waits for its reply.
	// The process then holds the other events back, and nothing is lost.
	eventsHeld = 1000
	// eventsMax is how many events wait before the others, which come between replies, are dropped.
	eventsMax = 20000
)

// EventsLost reports that the program took events so slowly that later ones were dropped. All before them were
// returned. A new client with [Options].EventsAfter gets the others.
type EventsLost struct {
	// The number of the last event that was returned, or that of EventsAfter; 0 if there is neither.
	After int64
}

// Error returns the number after which events are lost.
func (e *EventsLost) Error() string {
	return fmt.Sprintf("postern: events were dropped after number %d, because the program did not take them", e.After)
}

func (e *EventsLost) isPostern() {}

// errNoEvents is the error of NextEvent without the options for events.
var errNoEvents Error = &plainError{"postern: this client gets no events: set Options.Events or Options.EventsAfter"}

// eventFlags are the flags with which the process sends events.
func eventFlags(options Options) []string {
	switch {
	case options.EventsAfter != nil:
		return []string{"--events", "--events-after", strconv.FormatInt(*options.EventsAfter, 10)}
	case options.Events:
		return []string{"--events"}
	default:
		return nil
	}
}

// eventQueue has the events that the program has not taken. The client's mutex guards it.
type eventQueue struct {
	waiting []json.RawMessage
	after   int64
	isLost  bool
	// Closed when there is an event, or no more follow.
	arrived chan struct{}
}

func newEventQueue(options Options) *eventQueue {
	if eventFlags(options) == nil {
		return nil
	}
	queue := &eventQueue{arrived: make(chan struct{})}
	if options.EventsAfter != nil {
		queue.after = *options.EventsAfter
	}
	return queue
}

// wake lets all callers of NextEvent look again.
func (q *eventQueue) wake() {
	if q != nil {
		close(q.arrived)
		q.arrived = make(chan struct{})
	}
}

// takeEvent keeps an event. After one was dropped, the next ones would leave a gap.
func (c *Client) takeEvent(params json.RawMessage) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.isClosing || c.failure != nil {
		return
	}
	c.events.isLost = c.events.isLost || len(c.events.waiting) >= eventsMax
	if !c.events.isLost {
		c.events.waiting = append(c.events.waiting, params)
		c.events.wake()
	}
}

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
func (c *Client) NextEvent(ctx context.Context) (*Event, error) {
	if c.events == nil {
		return nil, errNoEvents
	}
	for {
		params, arrived, err := c.nextEvent()
		if err != nil {
			return nil, err
		}
		if params != nil {
			event := new(Event)
			if err := readResult("event", params, event); err != nil {
				return nil, err
			}
			return event, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, fmt.Errorf("postern: next event: %w", ctx.Err())
		}
	}
}

// nextEvent returns the first event, or what to wait for.
func (c *Client) nextEvent() (json.RawMessage, chan struct{}, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	queue := c.events
	switch {
	case len(queue.waiting) > 0:
		params := queue.waiting[0]
		queue.waiting = queue.waiting[1:]
		var event struct{ Seq int64 }
		if json.Unmarshal(params, &event) == nil {
			queue.after = event.Seq
		}
		c.toRead.Signal()
		return params, nil, nil
	case queue.isLost:
		return nil, nil, &EventsLost{After: queue.after}
	case c.isClosing:
		return nil, nil, ErrClosed
	case c.failure != nil:
		return nil, nil, c.failure
	default:
		return nil, queue.arrived, nil
	}
}

// holdOutput waits while many events are not taken and no call waits for its reply.
func (c *Client) holdOutput() {
	if c.events == nil {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for len(c.events.waiting) >= eventsHeld && len(c.inFlight) == 0 && !c.isClosing && c.failure == nil && !c.hasExited {
		c.toRead.Wait()
	}
}

// endHold lets the rest of the output be read once the process has ended.
func (c *Client) endHold() {
	<-c.process.exited
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.hasExited = true
	c.toRead.Signal()
}
