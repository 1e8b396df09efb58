package postern

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
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

// eventQueue has the events that the program has not taken. With Supervise, all processes share it. Its mutex is locked
// after that of a connection.
type eventQueue struct {
	mutex   sync.Mutex
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
		q.mutex.Lock()
		defer q.mutex.Unlock()
		q.wakeLocked()
	}
}

func (q *eventQueue) wakeLocked() {
	close(q.arrived)
	q.arrived = make(chan struct{})
}

// add keeps an event. After one was dropped, the next ones would leave a gap.
func (q *eventQueue) add(params json.RawMessage) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.isLost = q.isLost || len(q.waiting) >= eventsMax
	if !q.isLost {
		q.waiting = append(q.waiting, params)
		if seq, isNumbered := seqOf(params); isNumbered {
			q.cursor = &seq
		}
		q.wakeLocked()
	}
}

// first takes the first event. If there is none, it returns what to wait for, or the error if none can follow.
func (q *eventQueue) first() (json.RawMessage, chan struct{}, error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	switch {
	case len(q.waiting) > 0:
		params := q.waiting[0]
		q.waiting = q.waiting[1:]
		if seq, isNumbered := seqOf(params); isNumbered {
			q.after = seq
		}
		return params, nil, nil
	case q.isLost:
		return nil, nil, &EventsLost{After: q.after}
	default:
		return nil, q.arrived, nil
	}
}

func (q *eventQueue) isFull() bool {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return len(q.waiting) >= eventsHeld
}

// next is the number after which the next process starts; nil if there is none.
func (q *eventQueue) next() *int64 {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return q.cursor
}

// takeEvent keeps an event, unless the client is closed or has failed.
func (c *connection) takeEvent(params json.RawMessage) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.isClosing && c.failure == nil {
		c.events.add(params)
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

// firstEvent returns the first event, or what to wait for.
func (c *connection) firstEvent() (json.RawMessage, chan struct{}, error) {
	if c.events == nil {
		return nil, nil, errNoEvents
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	params, arrived, err := c.events.first()
	// Also without an event: a caller that still looks at the last process may have taken it.
	c.toRead.Signal()
	switch {
	case params != nil || err != nil:
		return params, nil, err
	case c.isClosing:
		return nil, nil, ErrClosed
	case c.failure != nil:
		return nil, nil, c.failure
	default:
		return nil, arrived, nil
	}
}

// holdOutput waits while many events are not taken and no call waits for its reply.
func (c *connection) holdOutput() {
	if c.events == nil {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for c.events.isFull() && len(c.inFlight) == 0 && !c.isClosing && c.failure == nil && !c.hasExited {
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
