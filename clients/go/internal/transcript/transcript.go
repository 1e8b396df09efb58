// Package transcript replays the transcripts of schema/cases through the client.
package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

// Transcript is a recorded conversation of requests and replies.
type Transcript struct {
	// Name is the name of its file.
	Name  string
	lines []line
}

// line is a line of the file: the first has the flags, others are steps or notes.
type line struct {
	Arguments []string `json:"arguments"`
	Send      *struct {
		Method string `json:"method"`
		Params any    `json:"params"`
	} `json:"send"`
	Expect map[string]any `json:"expect"`
	Keep   map[string]any `json:"keep"`
	Repeat int            `json:"repeat"`
}

// Reply is the reply to one request of a transcript.
type Reply struct {
	// Line is the line number of the request, from 1.
	Line   int
	Method string
	// IsTyped is whether the method's typed form was called.
	IsTyped bool
	// Value has the property `result` or `error`.
	Value map[string]any
}

// All reads all transcripts of a folder, sorted by name.
func All(folder string) ([]Transcript, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("no transcripts in %s", folder)
	}
	if err != nil {
		return nil, err
	}
	var transcripts []Transcript
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		transcript := Transcript{Name: filepath.Base(path)}
		for _, text := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
			var line line
			if err := decode(text, &line); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			transcript.lines = append(transcript.lines, line)
		}
		transcripts = append(transcripts, transcript)
	}
	return transcripts, nil
}

// Play replays the transcript in deterministic mode, and returns the replies and the differences from the transcript.
func (t Transcript) Play(ctx context.Context) (replies []Reply, faults []string, err error) {
	arguments := []string{"--clock", "2016-02-24T22:07:52.371513Z", "--seed", "7"}
	client, err := postern.Open(postern.Options{
		Data:      ":memory:",
		Arguments: append(arguments, t.lines[0].Arguments...),
	})
	if err != nil {
		return nil, nil, err
	}
	defer client.Close()
	kept := map[string]any{}
	for index, line := range t.lines {
		if line.Send == nil {
			continue
		}
		for count := 0; count < line.Repeat || count == 0; count++ {
			reply, fault, err := request(ctx, client, line.Send.Method, filled(line.Send.Params, kept))
			if err != nil {
				return nil, nil, fmt.Errorf("%s:%d: %w", t.Name, index+1, err)
			}
			reply.Line = index + 1
			replies = append(replies, reply)
			if fault == "" {
				fault = line.check(reply.Value, kept)
			}
			if fault != "" {
				faults = append(faults, fmt.Sprintf("%s:%d: %s", t.Name, reply.Line, fault))
			}
		}
	}
	return replies, faults, client.Close()
}

// check returns the difference of a reply from the transcript, or "", and stores the values that the step keeps.
func (l line) check(reply, kept map[string]any) string {
	expected := filled(l.Expect, kept).(map[string]any)
	for _, property := range []string{"result", "error"} {
		value, isThere := expected[property]
		if got, has := reply[property]; isThere != has || isThere && !matches(got, value) {
			text, _ := json.Marshal(reply)
			return fmt.Sprintf("got %s", text)
		}
	}
	for name, place := range l.Keep {
		value, isFound := found(place, reply)
		if !isFound {
			return "nothing to keep as " + name
		}
		kept[name] = value
	}
	return ""
}

// request sends a request, with the method's typed form if the params have its types. It returns the reply, and the
// fault of an error value, or "".
func request(ctx context.Context, client *postern.Client, method string, params any) (Reply, string, error) {
	reply := Reply{Method: method}
	var result any
	var err error
	if form := typedForm(client, method); form != nil {
		reply.IsTyped, result, err = form(ctx, params)
	}
	if !reply.IsTyped {
		result, err = client.Call(ctx, method, params)
	}
	if err == nil {
		result, err = generic(result)
		reply.Value = map[string]any{"result": result}
		return reply, "", err
	}
	var failure *postern.CallError
	if !errors.As(err, &failure) {
		return reply, "", err
	}
	value, fault := errorReply(failure, err)
	reply.Value = map[string]any{"error": value}
	return reply, fault, nil
}

// errorReply returns an error as the service sent it, and the fault of the client's error value, or "".
func errorReply(failure *postern.CallError, err error) (map[string]any, string) {
	reply := map[string]any{"code": number(failure.Code), "message": failure.Message}
	if failure.Data == nil {
		return reply, ""
	}
	var data map[string]any
	var properties struct {
		Errors     []postern.Slug `json:"errors"`
		Field      string         `json:"field"`
		RetryAfter int64          `json:"retry_after"`
	}
	if decode(failure.Data, &data) != nil || decode(failure.Data, &properties) != nil {
		return reply, fmt.Sprintf("data is %s", failure.Data)
	}
	reply["data"] = data
	isRead := reflect.DeepEqual(failure.Slugs, properties.Errors) && failure.Slug == properties.Errors[0] &&
		failure.Field == properties.Field && failure.RetryAfter == time.Duration(properties.RetryAfter)*time.Second
	if !isRead || !isTyped(failure, err) || !errors.Is(err, failure.Slug) {
		return reply, fmt.Sprintf("the error %#v is not what %s says", err, failure.Data)
	}
	return reply, ""
}

// isTyped reports whether an error has the type of its slug in its method's API, or else in the service.
func isTyped(failure *postern.CallError, err error) bool {
	api, _, _ := strings.Cut(failure.Method, ".")
	return hasTypeOf(api, failure.Slug, err) || hasTypeOf("service", failure.Slug, err)
}
