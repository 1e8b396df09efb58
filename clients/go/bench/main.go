// Command bench measures the cost of a call through the client and through a bare loop on the pipe, which neither
// parses nor writes JSON, and the throughput of 50 goroutines. It prints one line of JSON; times are in microseconds.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"sort"
	"sync"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

const (
	calls           = 5_000
	batch           = 500
	concurrentCalls = 10_000
	goroutines      = 50
	openings        = 50
)

func main() {
	measure := run
	if len(os.Args) == 2 && os.Args[1] == "opening" {
		measure = measureOpening
	}
	if err := measure(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// measureOpening measures opening, with and without the wait for a first reply.
func measureOpening(context.Context) error {
	times := map[bool][]time.Duration{}
	for count := 0; count < openings; count++ {
		for _, noWait := range []bool{false, true} {
			start := time.Now()
			client, err := postern.Open(postern.Options{Data: ":memory:", NoWait: noWait})
			times[noWait] = append(times[noWait], time.Since(start))
			if err != nil {
				return err
			}
			if err := client.Close(); err != nil {
				return err
			}
		}
	}
	fmt.Printf(`{"client":"go","open_ms":%.2f,"unready_ms":%.2f}`+"\n", median(times[false])/1e3, median(times[true])/1e3)
	return nil
}

func run(ctx context.Context) error {
	client, err := postern.Open(postern.Options{Data: ":memory:"})
	if err != nil {
		return err
	}
	defer client.Close()
	asked, err := prepare(ctx, client)
	if err != nil {
		return err
	}
	bare, err := startBare()
	if err != nil {
		return err
	}
	var raw, typed []time.Duration
	for done := 0; done < calls; done += batch {
		times, err := bare.measure(batch)
		if err != nil {
			return err
		}
		raw = append(raw, times...)
		for count := 0; count < batch; count++ {
			start := time.Now()
			list, err := client.Operators.Clients.Get(ctx, asked)
			typed = append(typed, time.Since(start))
			if err != nil || len(list.Clients) != 0 {
				return fmt.Errorf("got %v, %v", list, err)
			}
		}
	}
	perSecond, err := measureConcurrent(ctx, client, asked)
	if err != nil {
		return err
	}
	if err := bare.close(); err != nil {
		return err
	}
	rawMedian, typedMedian := median(raw), median(typed)
	fmt.Printf(
		`{"client":"go","raw_us":%.1f,"client_us":%.1f,"overhead_us":%.1f,"concurrent_calls_per_second":%.0f}`+"\n",
		rawMedian, typedMedian, typedMedian-rawMedian, perSecond,
	)
	return client.Close()
}

// prepare registers an operator and returns the params of a list in which nothing has changed.
func prepare(ctx context.Context, client *postern.Client) (postern.OperatorsClientsGetParams, error) {
	operator, err := client.Operators.Register(ctx, registration)
	if err != nil {
		return postern.OperatorsClientsGetParams{}, err
	}
	return postern.OperatorsClientsGetParams{UserID: operator.ID, SessionID: operator.SessionID, Provision: 1}, nil
}

var registration = postern.OperatorsRegisterParams{
	User:     postern.OperatorsPersonInput{FirstName: "Luke", LastName: "Sorenson", Email: "lasoren@bu.edu"},
	Password: "a long password",
}

func measureConcurrent(
	ctx context.Context,
	client *postern.Client,
	asked postern.OperatorsClientsGetParams,
) (perSecond float64, err error) {
	var group sync.WaitGroup
	failures := make(chan error, goroutines)
	start := time.Now()
	for index := 0; index < goroutines; index++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for count := 0; count < concurrentCalls/goroutines; count++ {
				if _, err := client.Operators.Clients.Get(ctx, asked); err != nil {
					failures <- err
					return
				}
			}
		}()
	}
	group.Wait()
	elapsed := time.Since(start)
	select {
	case err := <-failures:
		return 0, err
	default:
		return concurrentCalls / elapsed.Seconds(), nil
	}
}

// bareLoop is a process with the same state, and a prepared request.
type bareLoop struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	line    []byte
}

func startBare() (*bareLoop, error) {
	binary := os.Getenv("POSTERN_BIN")
	if binary == "" {
		binary = "postern"
	}
	command := exec.Command(binary, "--replies", "as-completed", "--framing", "line", "--data", ":memory:")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	bare := &bareLoop{command: command, input: input, output: bufio.NewReaderSize(output, 64<<10)}
	if bare.line, err = request("operators.register", registration); err != nil {
		return nil, err
	}
	text, err := bare.exchange()
	if err != nil {
		return nil, err
	}
	var reply struct{ Result postern.OperatorsOperator }
	if err := json.Unmarshal(text, &reply); err != nil {
		return nil, err
	}
	bare.line, err = request("operators.clients.get", postern.OperatorsClientsGetParams{
		UserID:    reply.Result.ID,
		SessionID: reply.Result.SessionID,
		Provision: 1,
	})
	return bare, err
}

func request(method string, params any) ([]byte, error) {
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	return append(line, '\n'), err
}

func (b *bareLoop) exchange() ([]byte, error) {
	if _, err := b.input.Write(b.line); err != nil {
		return nil, err
	}
	return b.output.ReadSlice('\n')
}

func (b *bareLoop) measure(count int) ([]time.Duration, error) {
	times := make([]time.Duration, count)
	var reply []byte
	for index := range times {
		start := time.Now()
		line, err := b.exchange()
		times[index] = time.Since(start)
		if err != nil {
			return nil, err
		}
		reply = line
	}
	if !bytes.Contains(reply, []byte(`"clients":[]`)) {
		return nil, fmt.Errorf("got %s", reply)
	}
	return times, nil
}

func (b *bareLoop) close() error {
	if err := b.input.Close(); err != nil {
		return err
	}
	return b.command.Wait()
}

// median returns the median in microseconds.
func median(times []time.Duration) float64 {
	sort.Slice(times, func(left, right int) bool { return times[left] < times[right] })
	return float64(times[len(times)/2].Nanoseconds()) / 1_000
}
