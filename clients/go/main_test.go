package postern_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	postern "postern/clients/go"
)

// TestMain runs the tests, or what they start: this binary is a fake Postern and a host as well, so that no script has
// to be written and made executable.
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

// open starts a Postern that the test ends.
func open(t *testing.T, options postern.Options) *postern.Client {
	t.Helper()
	if options.Data == "" {
		options.Data = ":memory:"
	}
	if options.Log == nil {
		options.Log = func(string) {}
	}
	client, err := postern.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// openFake starts a fake of that name.
func openFake(t *testing.T, name string, options postern.Options) *postern.Client {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	options.Binary = binary
	// A fake answers what the test asks, and not whether it serves.
	options.NoWait = true
	options.Env = append(options.Env, "TEST_FAKE="+name)
	return open(t, options)
}

// limited is a context that ends a test that hangs.
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
