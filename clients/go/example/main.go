// Command example registers an operator, signs in, creates a client and lists it. The argument is the directory of the
// accounts; without it, the command uses a temporary directory.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	postern "github.com/postern-accounts/postern-go"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	// 1. Start Postern on a directory.
	folder, err := os.MkdirTemp("", "postern-example-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	data := filepath.Join(folder, "accounts")
	if len(os.Args) > 1 {
		data = os.Args[1]
	}
	client, err := postern.Open(postern.Options{Data: data, Arguments: []string{"--no-email-confirmation"}})
	if err != nil {
		return err
	}
	defer client.Close()

	// 2. Register an operator.
	operator, err := client.Operators.Register(ctx, postern.OperatorsRegisterParams{
		User: postern.OperatorsPersonInput{
			FirstName: "Luke",
			LastName:  "Sorenson",
			Email:     "lasoren@bu.edu",
		},
		Password: "a long password",
	})
	if err != nil {
		return err
	}
	fmt.Println("registered", operator.User.FirstName, operator.User.LastName)

	// 3. Sign in, with a wrong password first.
	credentials := postern.OperatorsSigninParams{Email: "lasoren@bu.edu", Password: "a wrong password"}
	_, err = client.Operators.Signin(ctx, credentials)
	var wrong *postern.OperatorsWrongPassword
	if !errors.As(err, &wrong) {
		return fmt.Errorf("a wrong password gave %w", err)
	}
	fmt.Printf("%s: %s\n", wrong.Slug, wrong.Message)
	credentials.Password = "a long password"
	operator, err = client.Operators.Signin(ctx, credentials)
	if err != nil {
		return err
	}
	fmt.Println("signed in as operator", operator.ID)

	// 4. Create a client.
	created, err := client.Operators.Client.Create(ctx, postern.OperatorsClientCreateParams{
		UserID:    operator.ID,
		SessionID: operator.SessionID,
		Client: postern.OperatorsClientInput{
			User: postern.OperatorsPersonInput{
				FirstName: "Mary",
				LastName:  "Major",
				Email:     "mary@example.com",
			},
			Address: "12 Grimmauld Place, London",
		},
	})
	if err != nil {
		return err
	}
	fmt.Println("created", created.User.FirstName, created.User.LastName)

	// 5. List the clients that have changed, and close.
	list, err := client.Operators.Clients.Get(ctx, postern.OperatorsClientsGetParams{
		UserID:    operator.ID,
		SessionID: operator.SessionID,
		Provision: 0,
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d client, next provision %d\n", len(list.Clients), list.Provision)
	return client.Close()
}
