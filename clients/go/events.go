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
	// The number of the last event that was taken, or that of EventsAfter.
	after int64
	// The number after which the next process starts; nil if no event has arrived and EventsAfter is not set.
	cursor *int64
	isLost bool
	// Closed when there is an event, or no more follow.
	arrived chan struct{}
}

func newEventQueue(options Options) *eventQueue {
	if eventFlags(options) == nil {
		return nil
	}
	queue := &eventQueue{arrived: make(chan struct{}), cursor: options.EventsAfter}
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
func (c *connection) takeEvent(params json.RawMessage) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.isClosing || c.failure != nil {
		return
	}
	c.events.isLost = c.events.isLost || len(c.events.waiting) >= eventsMax
	if !c.events.isLost {
		c.events.waiting = append(c.events.waiting, params)
		if seq, isNumbered := seqOf(params); isNumbered {
			c.events.cursor = &seq
		}
		c.events.wake()
	}
}

// nextEvent waits for the next event and returns it.
func (c *connection) nextEvent(ctx context.Context) (*Event, error) {
	for {
		params, arrived, err := c.firstEvent()
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

func seqOf(params json.RawMessage) (seq int64, isNumbered bool) {
	var event struct{ Seq *int64 }
	if json.Unmarshal(params, &event) != nil || event.Seq == nil {
		return 0, false
	}
	return *event.Seq, true
}

// handOver moves the events to a queue for the next process. The process has ended.
func (c *connection) handOver() *eventQueue {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.events == nil {
		return nil
	}
	queue := *c.events
	queue.arrived = make(chan struct{})
	c.events.waiting = nil
	return &queue
}

// takeBack returns the events that were handed over, because no process follows.
func (c *connection) takeBack(queue *eventQueue) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.events = queue
}

// firstEvent returns the first event, or what to wait for.
func (c *connection) firstEvent() (json.RawMessage, chan struct{}, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	queue := c.events
	switch {
	case queue == nil:
		return nil, nil, errNoEvents
	case len(queue.waiting) > 0:
		params := queue.waiting[0]
		queue.waiting = queue.waiting[1:]
		if seq, isNumbered := seqOf(params); isNumbered {
			queue.after = seq
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
func (c *connection) holdOutput() {
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
func (c *connection) endHold() {
	<-c.process.exited
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.hasExited = true
	c.toRead.Signal()
}
