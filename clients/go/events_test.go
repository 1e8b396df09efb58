package postern_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

// eventOptions are those of a client without confirmation by mail.
func eventOptions(data string, after int64) postern.Options {
	options := postern.Options{Data: data, Arguments: []string{"--no-email-confirmation"}, Events: true}
	if after >= 0 {
		options.EventsAfter = &after
	}
	return options
}

// take returns the next events.
func take(t *testing.T, client *postern.Client, count int) []postern.Event {
	t.Helper()
	var events []postern.Event
	for len(events) < count {
		event, err := client.NextEvent(limited(t))
		if err != nil {
			t.Fatalf("after %d events: %v", len(events), err)
		}
		events = append(events, *event)
	}
	return events
}

// wantNumbers checks the numbers of events, which follow each other from first on.
func wantNumbers(t *testing.T, events []postern.Event, first int64) {
	t.Helper()
	for index, event := range events {
		if event.Seq != first+int64(index) {
			t.Fatalf("event %d in place of %d", event.Seq, first+int64(index))
		}
	}
}

func signIn(t *testing.T, client *postern.Client) {
	t.Helper()
	params := postern.OperatorsSigninParams{Email: registration(0).User.Email, Password: registration(0).Password}
	if _, err := client.Operators.Signin(limited(t), params); err != nil {
		t.Fatal(err)
	}
}

// signInElsewhere signs in with another process.
func signInElsewhere(t *testing.T, data string) {
	t.Helper()
	params := fmt.Sprintf(`{"email":%q,"password":%q}`, registration(0).User.Email, registration(0).Password)
	command := exec.Command(os.Getenv("POSTERN_BIN"), "call", "operators.signin", params, "--data", data,
		"--no-email-confirmation")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

// fill creates a store with so many events.
func fill(t *testing.T, count int) string {
	t.Helper()
	data := t.TempDir() + "/data"
	client := open(t, postern.Options{Data: data, Arguments: []string{"--no-email-confirmation"}})
	operator := register(t, client)
	var calls sync.WaitGroup
	for number := 1; number < count; number++ {
		calls.Add(1)
		go func(number int) {
			defer calls.Done()
			person := postern.OperatorsPersonInput{FirstName: "A", LastName: "B", Email: fmt.Sprintf("a%d@b.co", number)}
			_, err := client.Operators.Client.Create(context.Background(), postern.OperatorsClientCreateParams{
				UserID:    operator.ID,
				SessionID: operator.SessionID,
				Client:    postern.OperatorsClientInput{User: person, Address: "x"},
			})
			if err != nil {
				t.Error(err)
			}
		}(number)
	}
	calls.Wait()
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAClientGetsItsOwnEventsAndThoseOfOtherProcesses(t *testing.T) {
	data := t.TempDir() + "/data"
	client := open(t, eventOptions(data, -1))
	operator := register(t, client)
	signIn(t, client)
	signInElsewhere(t, data)
	events := take(t, client, 3)
	wantNumbers(t, events, 1)
	for index, kind := range []postern.EventKind{"registered", "signed_in", "signed_in"} {
		event := events[index]
		if event.Kind != kind || event.API != "operators" || event.Account == nil || *event.Account != operator.ID {
			t.Errorf("event %d is %+v", index, event)
		}
	}
	if detail := events[1].Detail; detail == nil || *detail.Session != 2 {
		t.Errorf("the detail of a sign-in is %v", detail)
	}
	client.Close()
	// The cursor of the first of them: none is missing, and none comes twice.
	next := open(t, eventOptions(data, events[0].Seq))
	if again := take(t, next, 2); !reflect.DeepEqual(again, events[1:]) {
		t.Errorf("%v in place of %v", again, events[1:])
	}
	signInElsewhere(t, data)
	wantNumbers(t, take(t, next, 1), 4)
}

func TestFourClientsGetTheEventsOfAll(t *testing.T) {
	data := t.TempDir() + "/data"
	var clients []*postern.Client
	for len(clients) < 4 {
		clients = append(clients, open(t, eventOptions(data, -1)))
	}
	for number, client := range clients {
		if _, err := client.Operators.Register(limited(t), registration(number)); err != nil {
			t.Fatal(err)
		}
	}
	first := take(t, clients[0], 4)
	wantNumbers(t, first, 1)
	for _, client := range clients[1:] {
		if events := take(t, client, 4); !reflect.DeepEqual(events, first) {
			t.Errorf("%v in place of %v", events, first)
		}
	}
}

func TestAClientThatTakesNoEventsGetsItsReplies(t *testing.T) {
	client := open(t, eventOptions(fill(t, 3000), 0))
	time.Sleep(200 * time.Millisecond)
	for count := 0; count < 20; count++ {
		if _, err := client.System.Info(limited(t)); err != nil {
			t.Fatal(err)
		}
	}
	wantNumbers(t, take(t, client, 3000), 1)
	signIn(t, client)
	if event := take(t, client, 1)[0]; event.Kind != "signed_in" {
		t.Errorf("the last event is %+v", event)
	}
}

// The process writes 30,000 events after its reply, and a line to stderr once all are written.
func TestReadingPausesWhileEventsAreNotTaken(t *testing.T) {
	written := make(chan string, 10)
	after := int64(0)
	client := openFake(t, "floods", postern.Options{
		EventsAfter: &after,
		Log:         func(_ postern.LogLevel, line string) { written <- line },
	})
	if _, err := client.Call(limited(t), "x", nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-written:
		t.Error("all events are read")
	case <-time.After(500 * time.Millisecond):
	}
	wantNumbers(t, take(t, client, 30000), 1)
	<-written
}

func TestEventsThatAreNeverTakenAreDroppedAndReported(t *testing.T) {
	after := int64(0)
	client := openFake(t, "streams", postern.Options{EventsAfter: &after, Env: []string{"TEST_EVENTS=20100"}})
	if _, err := client.Call(limited(t), "x", nil); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, take(t, client, 20000), 1)
	var lost *postern.EventsLost
	if _, err := client.NextEvent(limited(t)); !errors.As(err, &lost) || lost.After != 20000 {
		t.Errorf("the error is %v", err)
	}
	if _, err := client.Call(limited(t), "y", nil); err != nil {
		t.Error(err)
	}
}

func TestAClientCanBeClosedWhileEventsWait(t *testing.T) {
	client := open(t, eventOptions(fill(t, 3000), 0))
	time.Sleep(100 * time.Millisecond)
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	for seq := int64(1); ; seq++ {
		event, err := client.NextEvent(limited(t))
		if err != nil {
			if err != postern.ErrClosed {
				t.Errorf("after %d events: %v", seq-1, err)
			}
			return
		}
		if event.Seq != seq {
			t.Fatalf("event %d in place of %d", event.Seq, seq)
		}
	}
}

func TestTheEndEndsTheWaitForAnEvent(t *testing.T) {
	for name, end := range map[string]func(*postern.Client, context.CancelFunc){
		"closed":    func(client *postern.Client, _ context.CancelFunc) { client.Close() },
		"killed":    func(client *postern.Client, _ context.CancelFunc) { _ = syscall.Kill(client.PID(), syscall.SIGKILL) },
		"cancelled": func(_ *postern.Client, cancel context.CancelFunc) { cancel() },
	} {
		client, end := open(t, eventOptions("", -1)), end
		ctx, cancel := context.WithCancel(limited(t))
		time.AfterFunc(50*time.Millisecond, func() { end(client, cancel) })
		_, err := client.NextEvent(ctx)
		var ended *postern.ProcessEnded
		isExpected := map[string]bool{
			"closed":    err == postern.ErrClosed,
			"killed":    errors.As(err, &ended),
			"cancelled": errors.Is(err, context.Canceled),
		}[name]
		if !isExpected {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestAClientWithoutEventsHasNone(t *testing.T) {
	client := open(t, postern.Options{})
	if _, err := client.NextEvent(limited(t)); err == nil || !strings.Contains(err.Error(), "set Options.Events") {
		t.Errorf("the error is %v", err)
	}
	if info, err := client.System.Info(limited(t)); err != nil || info.Events {
		t.Errorf("system.info returns %+v, %v", info, err)
	}
}

func TestACursorThatTheTrailDoesNotHaveIsRefused(t *testing.T) {
	options := eventOptions(":memory:", 7)
	options.Log = func(postern.LogLevel, string) {}
	if _, err := postern.Open(options); err == nil || !strings.Contains(err.Error(), "has number 0") {
		t.Errorf("the error is %v", err)
	}
}

func TestAServiceWithAnOlderContractOrAnotherMajorVersionIsRefused(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for info, has := range map[string]string{
		`{"contract":"0.9.12"}`: "has version 0.9.12; this client needs " + postern.ContractVersion + " or a later 1.x",
		`{"contract":"2.0.0"}`:  "has version 2.0.0; this client needs " + postern.ContractVersion + " or a later 1.x",
		`{}`:                    "has no version; this client needs " + postern.ContractVersion + " or a later 1.x",
		`{"contract":"1.10.0"}`: "",
	} {
		says := fmt.Sprintf(`{"jsonrpc":"2.0","id":{{id}},"result":%s}`, info)
		client, err := postern.Open(postern.Options{Binary: binary, Env: []string{"TEST_FAKE=says", "TEST_SAYS=" + says}})
		if has == "" {
			if err != nil {
				t.Fatal(err)
			}
			client.Close()
			continue
		}
		var fault *postern.ProtocolError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), has) {
			t.Errorf("the error is %v", err)
		}
	}
}
