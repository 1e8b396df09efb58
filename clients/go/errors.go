package postern

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// Error is what all errors of this package are, but for those of a context and of the system.
type Error interface {
	error
	isPostern()
}

// Slug is the fixed word for what is wrong. It is an error so that errors.Is finds it among all slugs of a [CallError]:
// errors.Is(err, postern.SlugPasswordRequired).
type Slug string

// Error gives the slug.
func (s Slug) Error() string { return string(s) }

// CallError is an error that the service answered with. One whose slug this client knows has a type by the API's name and
// that one, which embeds it.
type CallError struct {
	// The method that was called.
	Method string
	// The code, as each API has its own.
	Code int64
	// What is wrong, in words for people.
	Message string
	// The first of Slugs, or empty.
	Slug Slug
	// All that is wrong; none in an error of JSON-RPC itself, such as that of an unknown method.
	Slugs []Slug
	// The param at fault, where the service names one: `user.email`.
	Field string
	// How long to wait before trying again, where that helps, in whole seconds.
	RetryAfter time.Duration
	// What came as `data`, or nil.
	Data json.RawMessage
}

// callError reads an error; what it can't read of its data it leaves.
func callError(method string, code int64, message string, data json.RawMessage) error {
	var known struct {
		Slugs      []Slug `json:"errors"`
		Field      string `json:"field"`
		RetryAfter int64  `json:"retry_after"`
	}
	if data != nil && json.Unmarshal(data, &known) != nil {
		return &CallError{Method: method, Code: code, Message: message, Data: data}
	}
	failure := &CallError{
		Method:     method,
		Code:       code,
		Message:    message,
		Slugs:      known.Slugs,
		Field:      known.Field,
		RetryAfter: time.Duration(known.RetryAfter) * time.Second,
		Data:       data,
	}
	if len(known.Slugs) > 0 {
		failure.Slug = known.Slugs[0]
	}
	api, _, _ := strings.Cut(method, ".")
	if known := typed(api, failure); known != nil {
		return known
	}
	// Errors of the service itself may come from any method.
	if known := typed("service", failure); known != nil {
		return known
	}
	return failure
}

// Error gives the method, the slug or code, and the message.
func (e *CallError) Error() string {
	if e.Slug == "" {
		return fmt.Sprintf("postern: %s: %d: %s", e.Method, e.Code, e.Message)
	}
	return fmt.Sprintf("postern: %s: %s: %s", e.Method, e.Slug, e.Message)
}

// Is says whether a [Slug] is among those of the error.
func (e *CallError) Is(target error) bool {
	for _, slug := range e.Slugs {
		if target == slug {
			return true
		}
	}
	return false
}

// As lets errors.As find the CallError that a typed error embeds.
func (e *CallError) As(target any) bool {
	failure, isCallError := target.(**CallError)
	if isCallError {
		*failure = e
	}
	return isCallError
}

func (e *CallError) isPostern() {}

// ProcessEnded says that the process has ended. Whether the calls that were in flight took effect is not known.
type ProcessEnded struct {
	// The exit code; -1 where a signal ended it, or where its end is not told, as in a host that ignores SIGCHLD.
	ExitCode int
	// The signal that ended it, or 0.
	Signal syscall.Signal
	// The last lines that it wrote to its stderr, up to 20.
	Stderr []string
}

// Error tells all of it.
func (e *ProcessEnded) Error() string {
	how := fmt.Sprintf("with exit code %d", e.ExitCode)
	switch {
	case e.Signal != 0:
		how = fmt.Sprintf("by signal %d (%v)", int(e.Signal), e.Signal)
	case e.ExitCode == -1:
		how = "in a way that the host was not told"
	}
	text := "postern: the process ended " + how + "; whether the calls in flight took effect is not known"
	if len(e.Stderr) == 0 {
		return text + "; it wrote nothing to stderr"
	}
	return text + "; its last lines on stderr:\n" + strings.Join(e.Stderr, "\n")
}

func (e *ProcessEnded) isPostern() {}

// ProtocolError says that the process wrote what is not the protocol, which ends the client; or, where it has a method,
// that a result is not what the method gives, which ends that call alone.
type ProtocolError struct {
	// The method whose result it is, or empty.
	Method string
	// The member at fault, where it is a result: `clients[0].user.email`; empty for the result itself.
	Member string
	// What is wrong with it.
	Reason string
}

// Error tells all of it.
func (e *ProtocolError) Error() string {
	switch {
	case e.Method == "":
		return "postern: " + e.Reason
	case e.Member == "":
		return fmt.Sprintf("postern: %s: the result %s", e.Method, e.Reason)
	default:
		return fmt.Sprintf("postern: %s: the result's member %s %s", e.Method, e.Member, e.Reason)
	}
}

func (e *ProtocolError) isPostern() {}

// MessageTooLong says that a request is longer than [MessageBytesMax]. It was not sent.
type MessageTooLong struct {
	// The method that was called.
	Method string
	// How long the request is.
	Bytes int
}

// Error tells all of it.
func (e *MessageTooLong) Error() string {
	return fmt.Sprintf("postern: %s: the request has %d bytes, more than %d", e.Method, e.Bytes, MessageBytesMax)
}

func (e *MessageTooLong) isPostern() {}

// BinaryNotFound says that there is no program to start.
type BinaryNotFound struct {
	// What was looked for.
	Name string
	// All the places that were looked at.
	Places []string
}

// Error tells all of it.
func (e *BinaryNotFound) Error() string {
	places := "nowhere, as PATH names no folder"
	if len(e.Places) > 0 {
		places = strings.Join(e.Places, ", ")
	}
	return fmt.Sprintf("postern: no program %s; set Options.Binary or POSTERN_BIN; looked at: %s", e.Name, places)
}

func (e *BinaryNotFound) isPostern() {}

// ErrClosed is the error of a call after [Client.Close].
var ErrClosed Error = &plainError{"postern: the client is closed"}

// ErrNotUTF8 is the error of a call with a string that is not UTF-8, as JSON has no way to write it, or with half of a
// surrogate pair in JSON of your own, which is no character. It was not sent.
var ErrNotUTF8 Error = &plainError{"a string is not UTF-8"}

// ErrNestedTooDeep is the error of a call whose request has more than [NestingDepthMax] objects and lists within each
// other, itself among them. It was not sent.
var ErrNestedTooDeep Error = &plainError{"the request is nested too deep"}

type plainError struct{ text string }

func (e *plainError) Error() string { return e.text }

func (e *plainError) isPostern() {}
