package postern_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

// The five steps of a first session.
func Example() {
	ctx := context.Background()

	// 1. Start Postern. Data names a directory; `:memory:` keeps nothing.
	client, err := postern.Open(postern.Options{Data: ":memory:", Arguments: []string{"--no-email-confirmation"}})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	// 2. Register an operator.
	luke := postern.OperatorsPersonInput{FirstName: "Luke", LastName: "Sorenson", Email: "lasoren@bu.edu"}
	operator, err := client.Operators.Register(ctx, postern.OperatorsRegisterParams{
		User:     luke,
		Password: "a long password",
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("registered", operator.User.FirstName, operator.User.LastName)

	// 3. Sign in, with a wrong password first.
	_, err = client.Operators.Signin(ctx, postern.OperatorsSigninParams{Email: luke.Email, Password: "a guess"})
	var wrong *postern.OperatorsWrongPassword
	if errors.As(err, &wrong) {
		fmt.Printf("%s: %s\n", wrong.Slug, wrong.Message)
	}
	operator, err = client.Operators.Signin(ctx, postern.OperatorsSigninParams{
		Email:    luke.Email,
		Password: "a long password",
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("signed in as operator", operator.ID)

	// 4. Create a client.
	created, err := client.Operators.Client.Create(ctx, postern.OperatorsClientCreateParams{
		UserID:    operator.ID,
		SessionID: operator.SessionID,
		Client: postern.OperatorsClientInput{
			User:    postern.OperatorsPersonInput{FirstName: "Mary", LastName: "Major", Email: "mary@example.com"},
			Address: "12 Grimmauld Place, London",
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("created", created.User.FirstName, created.User.LastName)

	// 5. List the clients that have changed since provision 0.
	list, err := client.Operators.Clients.Get(ctx, postern.OperatorsClientsGetParams{
		UserID:    operator.ID,
		SessionID: operator.SessionID,
		Provision: 0,
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d client, next provision %d\n", len(list.Clients), list.Provision)
	// Output:
	// registered Luke Sorenson
	// wrong_password: Password is incorrect for this account.
	// signed in as operator 1
	// created Mary Major
	// 1 client, next provision 2
}

func ExampleCallError() {
	ctx := context.Background()
	client, err := postern.Open(postern.Options{Data: ":memory:"})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	_, err = client.Care.User.Register(ctx, postern.CareUserRegisterParams{Role: "user"})

	var missing *postern.CareEmailRequired
	var failure *postern.CallError
	if errors.As(err, &missing) {
		fmt.Println("by its type:", missing.Message)
	}
	if errors.Is(err, postern.SlugPasswordRequired) {
		fmt.Println("by any of its slugs")
	}
	if errors.As(err, &failure) {
		fmt.Println("by the base:", failure.Code, failure.Slugs)
	}
	// Output:
	// by its type: No email address specified.
	// by any of its slugs
	// by the base: 400 [email_required password_required]
}

func ExamplePtr() {
	ctx := context.Background()
	client, err := postern.Open(postern.Options{Data: ":memory:"})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	registered, err := client.Care.User.Register(ctx, postern.CareUserRegisterParams{
		Email:     "foo@bar.com",
		Password:  "a long password",
		Role:      "user",
		FirstName: postern.Ptr("Foo"),
		LastName:  postern.Ptr("Bar"),
	})
	if err != nil {
		panic(err)
	}
	session, err := client.Care.Auth.Token(ctx, postern.CareAuthTokenParams{
		Email:    "foo@bar.com",
		Password: "a long password",
	})
	if err != nil {
		panic(err)
	}

	changed, err := client.Care.User.Change(ctx, postern.CareUserChangeParams{
		AccessToken: session.AccessToken,
		LastName:    postern.Ptr(""), // cleared; FirstName is nil and stays
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %q, then %s %q\n", registered.FirstName, registered.LastName, changed.FirstName, changed.LastName)
	// Output:
	// Foo "Bar", then Foo ""
}

func ExampleOptions_deliverMail() {
	sent := make(chan string, 1)
	send := func(_ context.Context, to, subject, _ string) error {
		sent <- to + ": " + subject
		return nil
	}
	client, err := postern.Open(postern.Options{
		Data: ":memory:",
		DeliverMail: func(ctx context.Context, mail postern.ServiceMail) error {
			return send(ctx, mail.To, mail.Subject, mail.Text)
		},
	})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	luke := postern.OperatorsPersonInput{FirstName: "Luke", LastName: "Sorenson", Email: "lasoren@bu.edu"}
	params := postern.OperatorsRegisterParams{User: luke, Password: "a long password"}
	if _, err := client.Operators.Register(context.Background(), params); err != nil {
		panic(err)
	}
	fmt.Println(<-sent)
	// Output:
	// lasoren@bu.edu: Confirm your email
}

func ExampleOptions_supervise() {
	data, err := os.MkdirTemp("", "postern-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(data)
	ended := make(chan error, 1)
	client, err := postern.Open(postern.Options{
		Data:      data,
		Supervise: true,
		OnExit:    func(exit postern.Exit) { ended <- exit.Err },
	})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	if err := syscall.Kill(client.PID(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	info, err := client.System.Info(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Println(<-ended)
	fmt.Println(info.Name)
	// Output:
	// postern: the process ended by signal 9 (killed); if a call was in flight, the outcome is unknown; it wrote nothing to stderr
	// postern
}

// follow prints events until one has the kind.
func follow(ctx context.Context, client *postern.Client, last postern.EventKind) error {
	for {
		event, err := client.NextEvent(ctx)
		if err != nil {
			return err
		}
		fmt.Println(event.Seq, event.Kind)
		if event.Kind == last {
			return nil
		}
	}
}

func ExampleClient_NextEvent() {
	client, err := postern.Open(postern.Options{Data: ":memory:", Events: true})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	luke := postern.OperatorsPersonInput{FirstName: "Luke", LastName: "Sorenson", Email: "lasoren@bu.edu"}
	params := postern.OperatorsRegisterParams{User: luke, Password: "a long password"}
	if _, err := client.Operators.Register(ctx, params); err != nil {
		panic(err)
	}
	if err := follow(ctx, client, "registered"); err != nil {
		panic(err)
	}
	// Output:
	// 1 registered
}

func ExampleClient_Call() {
	client, err := postern.Open(postern.Options{Data: ":memory:"})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	result, err := client.Call(ctx, "operators.resend_confirmation", map[string]any{"email": "lasoren@bu.edu"})
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("it may still take effect")
	}
	fmt.Println(string(result), err)
	// Output:
	// null <nil>
}
