// Command sourcegraph runs Postern with sourcegraph/jsonrpc2, once with Content-Length headers and once without.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

const (
	callTimeMax     = 20 * time.Second
	concurrentCalls = 1000
	password        = "a long password"
	text            = "é 😀 \u00a0 \u200d \\ \" 漢字 </script>"
)

// pipes are the standard input and output of a process, as one stream.
type pipes struct {
	io.Reader
	io.WriteCloser
}

// plainStream is a stream of messages without headers, with one decoder for all replies.
// Later releases have it as NewPlainObjectStream. PlainObjectCodec makes a decoder for
// each reply, which loses the bytes that it has read of the next.
type plainStream struct {
	pipes
	decoder *json.Decoder
	encoder *json.Encoder
	turn    sync.Mutex
}

func newPlainStream(pipes pipes) jsonrpc2.ObjectStream {
	return &plainStream{pipes: pipes, decoder: json.NewDecoder(pipes), encoder: json.NewEncoder(pipes)}
}

func (s *plainStream) ReadObject(v interface{}) error { return s.decoder.Decode(v) }

func (s *plainStream) WriteObject(v interface{}) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.encoder.Encode(v)
}

func newHeaderStream(pipes pipes) jsonrpc2.ObjectStream {
	return jsonrpc2.NewBufferedStream(pipes, jsonrpc2.VSCodeObjectCodec{})
}

// ignored handles requests from the service, which sends none.
type ignored struct{}

func (ignored) Handle(context.Context, *jsonrpc2.Conn, *jsonrpc2.Request) {}

type person struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
}

type client struct {
	User    person `json:"user"`
	Address string `json:"address"`
}

type operator struct {
	ID        int    `json:"id"`
	SessionID string `json:"session_id"`
}

type session struct {
	UserID    int    `json:"user_id"`
	SessionID string `json:"session_id"`
}

type clientParams struct {
	session
	Client client `json:"client"`
}

type listParams struct {
	session
	Provision int `json:"provision"`
}

type clientList struct {
	Clients []client `json:"clients"`
}

var checkCount int

func check(name string, body func() error) {
	checkCount++
	if err := body(); err != nil {
		fmt.Printf("not ok %d - %s # %.300s\n", checkCount, name, strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	fmt.Printf("ok %d - %s\n", checkCount, name)
}

func expect(actual, expected interface{}) error {
	if !reflect.DeepEqual(actual, expected) {
		return fmt.Errorf("got %.200v instead of %.200v", actual, expected)
	}
	return nil
}

// A service is a Postern process, and the connection to it.
type service struct {
	process *exec.Cmd
	conn    *jsonrpc2.Conn
}

func start(newStream func(pipes) jsonrpc2.ObjectStream, flags ...string) *service {
	flags = append([]string{"--data", ":memory:", "--no-email-confirmation"}, flags...)
	process := exec.Command(os.Getenv("POSTERN_BIN"), flags...)
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		panic(err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := process.Start(); err != nil {
		panic(err)
	}
	stream := newStream(pipes{output, input})
	return &service{process, jsonrpc2.NewConn(context.Background(), stream, ignored{})}
}

func (s *service) call(method string, params, result interface{}, options ...jsonrpc2.CallOption) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeMax)
	defer cancel()
	return s.conn.Call(ctx, method, params, result, options...)
}

// fault is the error reply of a method.
func (s *service) fault(method string, params interface{}) (*jsonrpc2.Error, error) {
	var result json.RawMessage
	err := s.call(method, params, &result)
	var fault *jsonrpc2.Error
	if errors.As(err, &fault) {
		return fault, nil
	}
	return nil, fmt.Errorf("got %s, %v instead of an error", result, err)
}

func (s *service) register(email string) (session, error) {
	var registered operator
	params := map[string]interface{}{"user": person{"Zoë", "Sorenson", email}, "password": password}
	err := s.call("operators.register", params, &registered)
	return session{registered.ID, registered.SessionID}, err
}

func (s *service) addresses(who session) ([]string, error) {
	var list clientList
	err := s.call("operators.clients.get", listParams{who, 0}, &list)
	addresses := make([]string, 0, len(list.Clients))
	for _, listed := range list.Clients {
		addresses = append(addresses, listed.Address)
	}
	return addresses, err
}

func newClient(who session, email, address string) clientParams {
	return clientParams{who, client{person{"Zoë", "Sorenson", email}, address}}
}

func (s *service) refuses(method string, params interface{}, code int64, message, data string) error {
	fault, err := s.fault(method, params)
	if err != nil {
		return err
	}
	actual := ""
	if fault.Data != nil {
		actual = string(*fault.Data)
	}
	return expect([]interface{}{fault.Code, fault.Message, actual}, []interface{}{code, message, data})
}

// answersConcurrently calls sign-ins, which need a password hash each,
// between writes, which need none and overtake them.
func (s *service) answersConcurrently(who session) error {
	busy, err := s.register("busy@example.com")
	if err != nil {
		return err
	}
	problems, finished := make(chan error, concurrentCalls), make(chan int, concurrentCalls)
	for number := 0; number < concurrentCalls; number++ {
		go func(number int) {
			defer func() { finished <- number }()
			if number%10 == 0 {
				var signedIn operator
				params := map[string]string{"email": "luke@example.com", "password": password}
				if err := s.call("operators.signin", params, &signedIn); err != nil {
					problems <- err
				} else if signedIn.ID != who.UserID {
					problems <- fmt.Errorf("call %d signed in operator %d", number, signedIn.ID)
				}
				return
			}
			var created client
			address := fmt.Sprintf("address %d", number)
			params := newClient(busy, fmt.Sprintf("c%d@example.com", number), address)
			if err := s.call("operators.client.create", params, &created, jsonrpc2.StringID()); err != nil {
				problems <- err
			} else if created.Address != address {
				problems <- fmt.Errorf("call %d created %q", number, created.Address)
			}
		}(number)
	}
	order := make([]int, concurrentCalls)
	for place := range order {
		order[place] = <-finished
	}
	select {
	case problem := <-problems:
		return problem
	default:
	}
	if sort.IntsAreSorted(order) {
		return errors.New("no reply overtook another")
	}
	addresses, err := s.addresses(busy)
	if err != nil {
		return err
	}
	return expect(len(addresses), concurrentCalls*9/10)
}

func (s *service) givesAMebibyte() error {
	many, err := s.register("many@example.com")
	if err != nil {
		return err
	}
	address := strings.Repeat("漢", 1000)
	expected := make([]string, 400)
	for number := range expected {
		expected[number] = address
		params := newClient(many, fmt.Sprintf("m%d@example.com", number), address)
		if err := s.call("operators.client.create", params, nil); err != nil {
			return err
		}
	}
	addresses, err := s.addresses(many)
	if err != nil {
		return err
	}
	return expect(addresses, expected)
}

func (s *service) ends() error {
	if err := s.conn.Close(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.process.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(callTimeMax):
		return errors.New("the process did not end")
	}
}

func play(framing string, newStream func(pipes) jsonrpc2.ObjectStream, flags ...string) {
	s := start(newStream, flags...)
	var who session
	check(framing+"a call gets its result", func() (err error) {
		if who, err = s.register("luke@example.com"); err != nil {
			return err
		}
		return expect(len(who.SessionID), 128)
	})
	check(framing+"an error of the service has its code, message and data", func() error {
		params := map[string]string{"email": "luke@example.com", "password": "a wrong password"}
		message, data := "Password is incorrect for this account.", `{"errors":["wrong_password"]}`
		return s.refuses("operators.signin", params, -9, message, data)
	})
	check(framing+"an unknown method is an error", func() error {
		return s.refuses("operators.sing", nil, jsonrpc2.CodeMethodNotFound, "Method not found: operators.sing (did you mean operators.signin?)", "")
	})
	check(framing+"params of the wrong kind are an error", func() error {
		return s.refuses("operators.signin", []int{1}, jsonrpc2.CodeInvalidParams, "Invalid params: operators.signin takes an object with email, password", "")
	})
	check(framing+"a method without a result returns null", func() error {
		leaving, err := s.register("leaving@example.com")
		if err != nil {
			return err
		}
		var result json.RawMessage
		if err := s.call("operators.signout", leaving, &result); err != nil {
			return err
		}
		return expect(string(result), "null")
	})
	check(framing+"a notification is executed and gets no reply", func() error {
		params := newClient(who, "n@example.com", "by a notification")
		if err := s.conn.Notify(context.Background(), "operators.client.create", params); err != nil {
			return err
		}
		if err := s.conn.Notify(context.Background(), "no.such.method", nil); err != nil {
			return err
		}
		addresses, err := s.addresses(who)
		if err != nil {
			return err
		}
		return expect(addresses, []string{"by a notification"})
	})
	check(framing+"a property that the specification does not define is ignored", func() error {
		var info map[string]interface{}
		if err := s.call("system.info", nil, &info, jsonrpc2.Meta(map[string]int{"trace": 1})); err != nil {
			return err
		}
		return expect(info["name"], "postern")
	})
	check(framing+"non-ASCII text is returned unchanged", func() error {
		var created client
		if err := s.call("operators.client.create", newClient(who, "text@example.com", text), &created); err != nil {
			return err
		}
		return expect(created, client{person{"Zoë", "Sorenson", "text@example.com"}, text})
	})
	check(fmt.Sprintf("%s%d concurrent calls each get their own reply", framing, concurrentCalls), func() error {
		return s.answersConcurrently(who)
	})
	check(framing+"a request of 1 MiB is accepted", func() error {
		var info map[string]interface{}
		params := map[string]string{"ignored": strings.Repeat("é", 1<<19)}
		if err := s.call("system.info", params, &info); err != nil {
			return err
		}
		return expect(info["name"], "postern")
	})
	check(framing+"a reply of 1 MiB is read", s.givesAMebibyte)
	check(framing+"the program exits with 0 at the end of its input", s.ends)
}

func main() {
	play("headers: ", newHeaderStream)
	play("lines: ", newPlainStream, "--replies", "as-completed")
	fmt.Printf("1..%d\n", checkCount)
}
