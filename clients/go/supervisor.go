package postern

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"sync"
	"time"
)

const (
	backoffFirst           = 100 * time.Millisecond
	backoffMax             = 5 * time.Second
	backoffResetAfter      = 10 * time.Second
	backoffFailedStartsMax = 10
	// jitter is how much a delay varies, so that many hosts do not start their processes at the same time.
	jitter = 0.2
)

var (
	errNotSupervised   Error = &plainError{"postern: Options.OnExit and Options.Backoff need Options.Supervise"}
	errNegativeBackoff Error = &plainError{"postern: a field of Options.Backoff is negative"}
)

// supervisor starts a process again after it has ended. A call that finds no process waits for the next one.
type supervisor struct {
	options Options
	backoff Backoff
	// Closed when no start may follow.
	closing chan struct{}
	// Closed once no start follows.
	watched chan struct{}
	// Closed once the last call of OnExit has returned; nil before the first one. Only the goroutine of watch uses it.
	reported chan struct{}

	mutex sync.Mutex
	// The last process that has served. Its successor takes its place once that serves, before over is closed.
	current *generation
	// The process that has not replied yet; nil if there is none.
	starting  *connection
	isClosing bool
}

// generation is one of the processes.
type generation struct {
	*connection
	// Closed once the next process serves, or none follows.
	over chan struct{}
	// The next process. It and finalError are set before over is closed.
	next *generation
	// Why none follows.
	finalError error
}

// supervise starts the first process. Unlike the next ones, it is started only once.
func supervise(options Options) (*supervisor, error) {
	s := &supervisor{
		options: options,
		backoff: options.Backoff.withDefaults(),
		closing: make(chan struct{}),
		watched: make(chan struct{}),
	}
	first, err := s.start(newEventQueue(options))
	if err != nil {
		return nil, err
	}
	go s.watch(first)
	return s, nil
}

func (s *supervisor) latest() *generation {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.current
}

func (s *supervisor) pid() int { return s.latest().pid() }

// call sends a request, and once more to the next process if the method is idempotent and the process ends meanwhile.
func (s *supervisor) call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	// How the process ended to which the request was sent first.
	var end error
	for process := s.latest(); ; {
		result, wasSent, err := process.send(ctx, method, params)
		if err == nil {
			return result, nil
		}
		if !process.hasFailedWith(err) {
			return nil, outcomeOf(ctx, method, end, err)
		}
		if wasSent {
			if end != nil || !idempotentMethods[method] {
				return nil, outcomeOf(ctx, method, end, err)
			}
			end = err
		}
		if process, err = process.wait(ctx, method); err != nil {
			return nil, outcomeOf(ctx, method, end, err)
		}
	}
}

// outcomeOf is the error of a call. If it was sent again after the end of a process, the first request may have taken
// effect, and may even be the reason for a refusal of the second one.
func outcomeOf(ctx context.Context, method string, end, err error) error {
	_, isEnd := err.(*ProcessEnded)
	isOfContext := ctx.Err() != nil && errors.Is(err, ctx.Err())
	if end == nil || isEnd || isOfContext || readOnlyMethods[method] {
		return err
	}
	return &repeatFailed{method: method, end: end, again: err}
}

// nextEvent returns the next event of any of the processes.
func (s *supervisor) nextEvent(ctx context.Context) (*Event, error) {
	for process := s.latest(); ; {
		event, err := process.nextEvent(ctx)
		if err == nil || !process.hasFailedWith(err) {
			return event, err
		}
		next, ending := process.wait(ctx, "next event")
		if ending == nil {
			process = next
			continue
		}
		// A start that failed may have sent some before.
		if event, err := process.nextEvent(ctx); err == nil {
			return event, nil
		}
		return nil, ending
	}
}

// wait waits for the next process. An error of the context names what waits.
func (g *generation) wait(ctx context.Context, method string) (*generation, error) {
	select {
	case <-g.over:
		return g.next, g.finalError
	case <-ctx.Done():
		return nil, fmt.Errorf("postern: %s: %w", method, ctx.Err())
	}
}

// close ends the process, and its successor if that is being started.
func (s *supervisor) close() error {
	s.mutex.Lock()
	if !s.isClosing {
		s.isClosing = true
		close(s.closing)
	}
	current, starting := s.current, s.starting
	s.mutex.Unlock()
	if starting != nil {
		_ = starting.close()
	}
	hasEnded := current.hasEnded()
	err := current.close()
	<-s.watched
	if hasEnded {
		// Between two processes OnExit has reported the end. Once the client has given up, it is the error of all calls.
		err = nil
		if current.finalError != ErrClosed {
			err = current.finalError
		}
	}
	return err
}

// watch starts a process each time that one has ended.
func (s *supervisor) watch(process *generation) {
	defer close(s.watched)
	restarts := 0
	for {
		startedAt := time.Now()
		<-process.ended
		if time.Since(startedAt) >= s.backoff.ResetAfter {
			restarts = 0
		}
		next, err := s.restart(process, &restarts)
		if err != nil {
			process.finalError = err
			close(process.over)
			return
		}
		process.next = next
		close(process.over)
		process = next
	}
}

// restart starts the next process, as often as the backoff says.
func (s *supervisor) restart(process *generation, restarts *int) (*generation, error) {
	var failure error = process.failure
	for failedStarts := 0; ; failedStarts++ {
		if s.mayNotStart() {
			return nil, ErrClosed
		}
		exit := Exit{Err: failure, FailedStarts: failedStarts, GaveUp: failedStarts >= s.backoff.FailedStartsMax}
		if !exit.GaveUp {
			exit.Delay = s.backoff.delay(*restarts)
			*restarts++
		}
		s.report(exit)
		if exit.GaveUp {
			return nil, failure
		}
		s.pause(exit.Delay)
		next, err := s.start(process.events)
		if err == nil {
			return next, nil
		}
		failure = err
	}
}

func (s *supervisor) mayNotStart() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.isClosing
}

func (s *supervisor) pause(delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
	}
}

// start starts a process that sends the events after those of the queue, and waits until it serves.
func (s *supervisor) start(events *eventQueue) (*generation, error) {
	options := s.options
	if events != nil {
		options.EventsAfter = events.next()
	}
	if s.mayNotStart() {
		return nil, ErrClosed
	}
	process, err := connect(options, events)
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	s.starting = process
	isClosing := s.isClosing
	s.mutex.Unlock()
	if isClosing {
		_ = process.close()
	}
	err = process.waitUntilReady(openWait, checkSupervised)
	// In one step: at each moment close must find the process, as the starting or as the current one.
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.starting = nil
	if err != nil {
		return nil, err
	}
	s.current = &generation{connection: process, over: make(chan struct{})}
	return s.current, nil
}

// report calls OnExit, after its previous call and on a goroutine of its own: it may close the client, wait for the
// next process or end its goroutine, and a restart waits for none of these. A panic in it does not end the host.
func (s *supervisor) report(exit Exit) {
	if s.options.OnExit == nil {
		return
	}
	previous, reported := s.reported, make(chan struct{})
	s.reported = reported
	go func() {
		defer close(reported)
		defer func() {
			if fault := recover(); fault != nil {
				writeToHost(fmt.Sprintf("postern: Options.OnExit has panicked: %v", fault))
			}
		}()
		if previous != nil {
			<-previous
		}
		s.options.OnExit(exit)
	}()
}

// checkSupervision returns an error if the options of the supervision have no effect or no meaning.
func checkSupervision(options Options) error {
	switch b := options.Backoff; {
	case !options.Supervise && (options.OnExit != nil || b != Backoff{}):
		return errNotSupervised
	case b.First < 0 || b.Max < 0 || b.ResetAfter < 0 || b.FailedStartsMax < 0:
		return errNegativeBackoff
	default:
		return nil
	}
}

func (b Backoff) withDefaults() Backoff {
	if b.First == 0 {
		b.First = backoffFirst
	}
	if b.Max == 0 {
		b.Max = backoffMax
	}
	if b.ResetAfter == 0 {
		b.ResetAfter = backoffResetAfter
	}
	if b.FailedStartsMax == 0 {
		b.FailedStartsMax = backoffFailedStartsMax
	}
	return b
}

// delay is the wait before a start, after so many others since the last process that has run long enough.
func (b Backoff) delay(restarts int) time.Duration {
	delay := b.First
	for ; restarts > 0 && delay < b.Max; restarts-- {
		delay *= 2
	}
	if delay > b.Max {
		delay = b.Max
	}
	return time.Duration(float64(delay) * (1 + jitter*(2*rand.Float64()-1)))
}
