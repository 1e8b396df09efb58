package postern_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

// mails collects delivered mails.
type mails struct {
	mutex sync.Mutex
	all   []postern.ServiceMail
}

func (m *mails) add(mail postern.ServiceMail) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.all = append(m.all, mail)
}

func (m *mails) count() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return len(m.all)
}

// outbox lists the columns of `postern outbox list`, for each mail.
func outbox(t *testing.T, data string) [][]string {
	t.Helper()
	output, err := exec.Command(os.Getenv("POSTERN_BIN"), "outbox", "list", "--data", data).Output()
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(output)), "\n") {
		rows = append(rows, strings.Split(line, "\t"))
	}
	return rows
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func TestAFunctionDeliversMails(t *testing.T) {
	data := t.TempDir() + "/data"
	delivered := &mails{}
	client := open(t, postern.Options{
		Data:      data,
		Arguments: []string{"--public-url", "https://x.co"},
		DeliverMail: func(_ context.Context, mail postern.ServiceMail) error {
			delivered.add(mail)
			return nil
		},
	})
	register(t, client)
	eventually(t, "a mail", func() bool { return delivered.count() == 1 })
	mail := delivered.all[0]
	if mail.To != "lasoren+0@bu.edu" || mail.Kind != "operators-confirmation" || mail.Code == nil || mail.Link == nil {
		t.Fatalf("%v", mail)
	}
	if *mail.Link != "https://x.co/operators/confirm?code="+*mail.Code || !strings.Contains(mail.Text, *mail.Code) {
		t.Fatal(*mail.Link, mail.Text)
	}
	if strings.Contains(fmt.Sprintf("%+v", mail), *mail.Code) {
		t.Fatal("the code is shown")
	}
	confirmation := postern.OperatorsConfirmEmailParams{Code: *mail.Code}
	if _, err := client.Operators.ConfirmEmail(context.Background(), confirmation); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if rows := outbox(t, data); len(rows) != 1 || rows[0][2] != "delivered" {
		t.Fatal(rows)
	}
}

func TestAFailureOfTheFunctionIsAFailedAttempt(t *testing.T) {
	failures := map[string]func() error{
		"relay says no":                        func() error { return errors.New("relay says no") },
		"panic: relay says no":                 func() error { panic("relay says no") },
		"the function has ended its goroutine": func() error { runtime.Goexit(); return nil },
		// The process could not read an error that is not UTF-8, or longer than a line may be.
		strings.Repeat("x", 400): func() error { return errors.New("\xff" + strings.Repeat("x", 10_000_000)) },
	}
	for problem, fail := range failures {
		data := t.TempDir() + "/data"
		client := open(t, postern.Options{
			Data:        data,
			DeliverMail: func(context.Context, postern.ServiceMail) error { return fail() },
		})
		register(t, client)
		eventually(t, "an attempt", func() bool { return outbox(t, data)[0][5] == "1" })
		if _, err := client.System.Info(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		row := outbox(t, data)[0]
		if row[2] != "waiting" || !strings.HasSuffix(row[7], problem) {
			t.Fatalf("%q is not the end of %q", problem, row[7])
		}
	}
}

func TestCallsDoNotWaitForDeliveries(t *testing.T) {
	delivered, mayEnd := &mails{}, make(chan struct{})
	client := open(t, postern.Options{DeliverMail: func(_ context.Context, mail postern.ServiceMail) error {
		delivered.add(mail)
		<-mayEnd
		return nil
	}})
	for number := 0; number < 6; number++ {
		if _, err := client.Operators.Register(limited(t), registration(number)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "four mails", func() bool { return delivered.count() == 4 })
	if _, err := client.System.Info(context.Background()); err != nil {
		t.Fatal(err)
	}
	close(mayEnd)
	eventually(t, "all mails", func() bool { return delivered.count() == 6 })
}

func TestClosingWaitsForADelivery(t *testing.T) {
	data, begun := t.TempDir()+"/data", make(chan struct{})
	client := open(t, postern.Options{Data: data, DeliverMail: func(context.Context, postern.ServiceMail) error {
		close(begun)
		time.Sleep(500 * time.Millisecond)
		return nil
	}})
	register(t, client)
	<-begun
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if rows := outbox(t, data); rows[0][2] != "delivered" {
		t.Fatal(rows)
	}
}

// A delivery that hangs gets the end of its context once the process has ended.
func TestClosingDoesNotWaitForEverForADelivery(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	client := open(t, postern.Options{
		CloseWait: 200 * time.Millisecond,
		DeliverMail: func(ctx context.Context, _ postern.ServiceMail) error {
			close(begun)
			<-ctx.Done()
			close(ended)
			return ctx.Err()
		},
	})
	register(t, client)
	<-begun
	start := time.Now()
	_ = client.Close()
	<-ended
	if waited := time.Since(start); waited > 10*time.Second {
		t.Fatal(waited)
	}
}

const mailParams = `{"id":%d,"to":"a@b.co","subject":"s","text":"t","kind":"k"}`

// answersTo returns what the client answers to lines that the process sends on its own.
func answersTo(t *testing.T, deliver func(context.Context, postern.ServiceMail) error, count int, lines ...string) string {
	t.Helper()
	client := openFake(t, "sends", postern.Options{
		DeliverMail: deliver,
		Env: []string{
			"TEST_SENDS=" + strings.Join(lines, "\n"), fmt.Sprintf("TEST_ANSWERS=%d", count),
		},
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answers, err := client.Call(ctx, "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(answers)
}

func TestUnknownMessagesAreDroppedOrRefused(t *testing.T) {
	answers := answersTo(t, nil, 2,
		`{"jsonrpc":"2.0","method":"event","params":{"seq":1}}`,
		`{"jsonrpc":"2.0","method":"weather","params":{}}`,
		`{"jsonrpc":"2.0","method":"mail.deliver","params":{}}`,
		`{"jsonrpc":"2.0","id":"postern:1","method":"coffee.make"}`,
		`{"jsonrpc":"2.0","id":"postern:2","method":"mail.deliver","params":`+fmt.Sprintf(mailParams, 1)+`}`,
	)
	want := `[{"error":{"code":-32601,"message":"Method not found: coffee.make"},"id":"postern:1","jsonrpc":"2.0"},` +
		`{"error":{"code":-32601,"message":"Method not found: mail.deliver"},"id":"postern:2","jsonrpc":"2.0"}]`
	if answers != want {
		t.Fatal(answers)
	}
}

func TestParamsThatAreNoMailAreRefused(t *testing.T) {
	for _, params := range []string{"null", "[]", "{}", `{"id":1,"to":2,"subject":"s","text":"t","kind":"k"}`} {
		var answers []struct{ Error struct{ Code int } }
		text := answersTo(t, func(context.Context, postern.ServiceMail) error { panic("it is called") }, 1,
			`{"jsonrpc":"2.0","id":"postern:1","method":"mail.deliver","params":`+params+`}`)
		if json.Unmarshal([]byte(text), &answers) != nil || answers[0].Error.Code != -32000 ||
			strings.Contains(text, "it is called") {
			t.Fatal(text)
		}
	}
}

func TestMoreDeliveriesThanTheProcessOpensAreRefused(t *testing.T) {
	mayEnd := make(chan struct{})
	defer close(mayEnd)
	var lines []string
	for id := 1; id <= 5; id++ {
		params := fmt.Sprintf(mailParams, id)
		lines = append(lines, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"mail.deliver","params":%s}`, id, params))
	}
	answers := answersTo(t, func(context.Context, postern.ServiceMail) error { <-mayEnd; return nil }, 1, lines...)
	if answers != `[{"error":{"code":-32000,"message":"4 mails are being delivered"},"id":5,"jsonrpc":"2.0"}]` {
		t.Fatal(answers)
	}
}
