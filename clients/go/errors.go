package postern

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// Error is the interface of all errors of this package, except those of a context and of the system.
type Error interface {
	error
	isPostern()
}

// Slug identifies the kind of an error. It implements error, so that errors.Is finds it among all slugs of a
// [CallError]: errors.Is(err, postern.SlugPasswordRequired).
type Slug string

// Error returns the slug.
func (s Slug) Error() string { return string(s) }

// CallError is an error reply of the service. Each slug that this client knows has a type, which embeds CallError.
type CallError struct {
	// The method that was called.
	Method string
	// The error code; each API has its own codes.
	Code int64
	// The message, for people.
	Message string
	// The first of Slugs, or empty.
	Slug Slug
	// All slugs; empty for an error of JSON-RPC itself, such as that of an unknown method.
	Slugs []Slug
	// The path of the invalid param, or empty: `user.email`.
	Field string
	// How long to wait before a retry, in whole seconds; 0 if the error does not say.
	RetryAfter time.Duration
	// The error's `data` as JSON, or nil.
	Data json.RawMessage
}

// callError reads an error. If its data do not have the expected types, only Data is set.
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
	// Any method can end with an error of the service itself.
	if known := typed("service", failure); known != nil {
		return known
	}
	return failure
}

// Error returns the method, the slug or code, and the message.
func (e *CallError) Error() string {
	if e.Slug == "" {
		return fmt.Sprintf("postern: %s: %d: %s", e.Method, e.Code, e.Message)
	}
	return fmt.Sprintf("postern: %s: %s: %s", e.Method, e.Slug, e.Message)
}

// Is reports whether a [Slug] is among the slugs of the error.
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

// ProcessEnded reports that the process has ended. If the call was in flight, the outcome is unknown.
type ProcessEnded struct {
	// The exit code; -1 if a signal ended the process, or if the code is not known, as in a host that ignores SIGCHLD.
	ExitCode int
	// The signal that ended the process, or 0.
	Signal syscall.Signal
	// The last lines that the process wrote to its stderr, up to 20.
	Stderr []string
}

// Error returns the exit code or signal, and the lines of stderr.
func (e *ProcessEnded) Error() string {
	how := fmt.Sprintf("with exit code %d", e.ExitCode)
	switch {
	case e.Signal != 0:
		how = fmt.Sprintf("by signal %d (%v)", int(e.Signal), e.Signal)
	case e.ExitCode == -1:
		how = "with an unknown exit status"
	}
	text := "postern: the process ended " + how + "; if a call was in flight, the outcome is unknown"
	if len(e.Stderr) == 0 {
		return text + "; it wrote nothing to stderr"
	}
	return text + "; its last lines on stderr:\n" + strings.Join(e.Stderr, "\n")
}

func (e *ProcessEnded) isPostern() {}

// repeatFailed is the error of a call that was in flight when a process ended, and failed when it was sent again. It is
// found as the first error, because the outcome is unknown. The second one is only text: a program that looks for a
// refusal first would take it for the outcome.
type repeatFailed struct {
	method     string
	end, again error
}

func (e *repeatFailed) Error() string {
	text := "postern: %s: the outcome is unknown: it was sent twice, and failed at first with: %v\nand then with: %v"
	return fmt.Sprintf(text, e.method, e.end, e.again)
}

func (e *repeatFailed) Unwrap() error { return e.end }

func (e *repeatFailed) isPostern() {}

// ProtocolError reports that the output of the process is not JSON-RPC, which ends the client; or, if it has a method,
// that a result does not match the contract, which fails only that call; or that a start gave no reply within a minute.
type ProtocolError struct {
	// The method whose result it is, or empty.
	Method string
	// The path of the property at fault in a result: `clients[0].user.email`; empty for the result itself.
	Property string
	// The fault.
	Reason string
}

// Error returns the method, the property and the fault.
func (e *ProtocolError) Error() string {
	switch {
	case e.Method == "":
		return "postern: " + e.Reason
	case e.Property == "":
		return fmt.Sprintf("postern: %s: the result %s", e.Method, e.Reason)
	default:
		return fmt.Sprintf("postern: %s: the result's property %s %s", e.Method, e.Property, e.Reason)
	}
}

func (e *ProtocolError) isPostern() {}

// MessageTooLong reports that a request is longer than [MessageBytesMax]. It was not sent.
type MessageTooLong struct {
	// The method that was called.
	Method string
	// The length of the request.
	Bytes int
}

// Error returns the method and both lengths.
func (e *MessageTooLong) Error() string {
	return fmt.Sprintf("postern: %s: the request has %d bytes, more than %d", e.Method, e.Bytes, MessageBytesMax)
}

func (e *MessageTooLong) isPostern() {}

// BinaryNotFound reports that the binary was not found.
type BinaryNotFound struct {
	// The name or path of the binary.
	Name string
	// All paths where the client looked.
	Places []string
}

// Error returns the name and the paths.
func (e *BinaryNotFound) Error() string {
	places := "no folder, because PATH has no absolute path"
	if len(e.Places) > 0 {
		places = strings.Join(e.Places, ", ")
	}
	return fmt.Sprintf("postern: no program %s; set Options.Binary or POSTERN_BIN; looked at: %s", e.Name, places)
}

func (e *BinaryNotFound) isPostern() {}

// ErrClosed is the error of a call after [Client.Close].
var ErrClosed Error = &plainError{"postern: the client is closed"}

// ErrInMemory is the error of [Open] with Supervise and a store in memory.
var ErrInMemory Error = &plainError{
	"postern: a store in memory cannot be supervised: a restart would lose all accounts",
}

// ErrNotUTF8 is the error of a call with a string that is not UTF-8, which JSON cannot represent, or with half of a
// surrogate pair in the host's own JSON, such as a [json.RawMessage]. The request was not sent.
var ErrNotUTF8 Error = &plainError{"a string is not UTF-8"}

// ErrNestedTooDeep is the error of a call whose request is nested deeper than [NestingDepthMax] levels; the request
// object is the first level. The request was not sent.
var ErrNestedTooDeep Error = &plainError{"the request is nested too deep"}

type plainError struct{ text string }

func (e *plainError) Error() string { return e.text }

func (e *plainError) isPostern() {}
