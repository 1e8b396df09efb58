package postern_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// fakes are processes that do what Postern doesn't.
var fakes = map[string]func(){
	// Tells that it was started, writes thirty lines to stderr, and ends with exit code 3 at the first request.
	"dies": func() {
		file, err := os.OpenFile(os.Getenv("TEST_STARTS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(file, "started")
		for number := 1; number <= 30; number++ {
			fmt.Fprintf(os.Stderr, "line %d\n", number)
		}
		requests := bufio.NewScanner(os.Stdin)
		requests.Scan()
		os.Exit(3)
	},
	// Writes a megabyte to stderr before it answers.
	"chatty": func() {
		answer(func(id int64) string {
			for number := 0; number < 10_000; number++ {
				fmt.Fprintf(os.Stderr, "%0100d\n", number)
			}
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id)
		})
	},
	// Writes a line without an end to stderr, and then answers.
	"endless": func() {
		fmt.Fprint(os.Stderr, strings.Repeat("x", 1_000_001))
		answer(func(id int64) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id) })
	},
	// Answers two requests at a time, in their order.
	"late": func() {
		var held []string
		answer(func(id int64) string {
			held = append(held, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"id":%d}}`, id, id))
			if len(held) < 2 {
				return ""
			}
			replies := strings.Join(held, "\n")
			held = nil
			return replies
		})
	},
	// Answers with what the environment says, {{id}} being the request's.
	"says": func() {
		answer(func(id int64) string {
			return strings.ReplaceAll(os.Getenv("TEST_SAYS"), "{{id}}", fmt.Sprint(id))
		})
	},
	// Reads nothing, and ends at SIGTERM alone.
	"deaf": stay,
	// Ends at SIGKILL alone.
	"stubborn": func() {
		signal.Ignore(syscall.SIGTERM)
		answer(func(id int64) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id) })
		stay()
	},
	// Tells of each request, and answers all of them at the end of its input.
	"patient": func() {
		var ids []int64
		answer(func(id int64) string {
			fmt.Fprintln(os.Stderr, "got", id)
			ids = append(ids, id)
			return ""
		})
		for _, id := range ids {
			fmt.Printf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":%d}\n", id, id)
		}
	},
	// Reads nothing before SIGUSR1; then tells of each request, and answers it.
	"waits": func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGUSR1)
		fmt.Fprintln(os.Stderr, "ready")
		<-signals
		answer(func(id int64) string {
			fmt.Fprintln(os.Stderr, id)
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id)
		})
	},
	// Writes what is no reply, and runs on.
	"raves": func() {
		fmt.Println("garbage")
		stay()
	},
	// Closes its stdout, and runs on.
	"mute": func() {
		os.Stdout.Close()
		stay()
	},
	// Closes its stdin, tells so, and runs on.
	"shut": func() {
		os.Stdin.Close()
		fmt.Fprintln(os.Stderr, "shut")
		stay()
	},
	// Ends, and leaves a child that holds its pipes.
	"parent": func() {
		child, err := os.StartProcess("/bin/sleep", []string{"sleep", "20"}, &os.ProcAttr{
			Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		})
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stderr, child.Pid)
		os.Exit(4)
	},
}

// stay runs on, though not forever.
func stay() { time.Sleep(time.Minute) }

// answer writes what there is to say to each request.
func answer(say func(id int64) string) {
	requests := bufio.NewReader(os.Stdin)
	for {
		line, err := requests.ReadBytes('\n')
		if err != nil {
			return
		}
		var request struct{ ID int64 }
		if err := json.Unmarshal(line, &request); err != nil {
			panic(err)
		}
		if text := say(request.ID); text != "" {
			fmt.Println(text)
		}
	}
}
