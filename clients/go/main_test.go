package postern_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

// TestMain runs the tests, or a fake or host that a test starts: the test binary also serves as those, so that tests
// need no executable scripts.
func TestMain(m *testing.M) {
	if mode := os.Getenv("TEST_FAKE"); mode != "" {
		fakes[mode]()
		return
	}
	if kind := os.Getenv("TEST_HOST"); kind != "" {
		hosts[kind]()
		return
	}
	if os.Getenv("POSTERN_BIN") == "" {
		binary, err := filepath.Abs("../../.build/release/postern")
		if err != nil {
			panic(err)
		}
		os.Setenv("POSTERN_BIN", binary)
	}
	os.Exit(m.Run())
}

// open opens a client, which is closed at the end of the test.
func open(t *testing.T, options postern.Options) *postern.Client {
	t.Helper()
	if options.Data == "" {
		options.Data = ":memory:"
	}
	if options.Log == nil {
		options.Log = func(postern.LogLevel, string) {}
	}
	client, err := postern.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// openFake opens a client of the fake of that name.
func openFake(t *testing.T, name string, options postern.Options) *postern.Client {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	options.Binary = binary
	// A fake does not expect the first request of Open.
	options.NoWait = true
	options.Env = append(options.Env, "TEST_FAKE="+name)
	return open(t, options)
}

// limited returns a context that ends a hanging test after 40 s.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// register registers operator number one of a new store.
func register(t *testing.T, client *postern.Client) *postern.OperatorsOperator {
	t.Helper()
	operator, err := client.Operators.Register(limited(t), registration(0))
	if err != nil {
		t.Fatal(err)
	}
	return operator
}

func registration(number int) postern.OperatorsRegisterParams {
	return postern.OperatorsRegisterParams{
		User: postern.OperatorsPersonInput{
			FirstName: "Luke",
			LastName:  "Sorenson",
			Email:     fmt.Sprintf("lasoren+%d@bu.edu", number),
		},
		Password: "a long password",
	}
}
