package postern_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

// The last reply is one line of more than a megabyte.
func TestConcurrentCallsGetTheirOwnReplies(t *testing.T) {
	const goroutines, each = 50, 200
	client := open(t, postern.Options{})
	operator := register(t, client)
	ctx := limited(t)
	var group sync.WaitGroup
	for index := 0; index < goroutines; index++ {
		group.Add(1)
		go func(first int) {
			defer group.Done()
			for number := first; number < first+each; number++ {
				email, address := fmt.Sprintf("client%d@example.com", number), fmt.Sprintf("%d High Street", number)
				created, err := client.Operators.Client.Create(ctx, postern.OperatorsClientCreateParams{
					UserID:    operator.ID,
					SessionID: operator.SessionID,
					Client: postern.OperatorsClientInput{
						User:    postern.OperatorsPersonInput{FirstName: "Mary", LastName: "Major", Email: email},
						Address: address,
					},
				})
				if err != nil {
					t.Error(err)
					return
				}
				if created.User.Email != email || created.Address != address {
					t.Errorf("asked for %s, got %s", email, created.User.Email)
				}
			}
		}(index * each)
	}
	group.Wait()
	asked := postern.OperatorsClientsGetParams{UserID: operator.ID, SessionID: operator.SessionID, Provision: 0}
	list, err := client.Operators.Clients.Get(ctx, asked)
	if err != nil {
		t.Fatal(err)
	}
	emails := map[string]bool{}
	for _, client := range list.Clients {
		emails[client.User.Email] = true
	}
	if len(list.Clients) != goroutines*each || len(emails) != goroutines*each {
		t.Errorf("%d clients with %d emails", len(list.Clients), len(emails))
	}
	raw, err := client.Call(ctx, "operators.clients.get", asked)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) < 1<<20 || !json.Valid(raw) {
		t.Errorf("a list of %d bytes", len(raw))
	}
}

// Requests and replies exceed the capacity of both pipes: writing must not wait for reading.
func TestRepliesAreReadWhileRequestsAreWritten(t *testing.T) {
	client := open(t, postern.Options{})
	ctx := limited(t)
	padding := map[string]string{"padding": strings.Repeat("x", 1<<20)}
	var group sync.WaitGroup
	for index := 0; index < 40; index++ {
		group.Add(1)
		go func() {
			defer group.Done()
			if _, err := client.Call(ctx, "rpc.discover", padding); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
}

// No process keeps another's stdin open, so that each ends while the others run.
func TestManyClientsCanOpenAtTheSameTime(t *testing.T) {
	const count, wait = 50, 30 * time.Second
	clients := make([]*postern.Client, count)
	var group sync.WaitGroup
	for index := range clients {
		group.Add(1)
		go func(index int) {
			defer group.Done()
			client, err := postern.Open(postern.Options{Data: ":memory:", CloseWait: wait})
			if err != nil {
				t.Error(err)
				return
			}
			clients[index] = client
			if _, err := client.System.Info(limited(t)); err != nil {
				t.Error(err)
			}
		}(index)
	}
	group.Wait()
	if t.Failed() {
		return
	}
	start := time.Now()
	for _, client := range clients {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	if elapsed := time.Since(start); elapsed > wait {
		t.Errorf("the processes ended by a signal, after %v", elapsed)
	}
}

func TestIDsAreCountedFromOne(t *testing.T) {
	client := openFake(t, "says", postern.Options{
		Env: []string{`TEST_SAYS={"jsonrpc":"2.0","id":{{id}},"result":{{id}}}`},
	})
	for _, expected := range []string{"1", "2", "3"} {
		if result, err := client.Call(limited(t), "anything", nil); err != nil || string(result) != expected {
			t.Errorf("got %s, %v", result, err)
		}
	}
}
