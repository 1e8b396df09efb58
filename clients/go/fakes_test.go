package postern_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fakes replace the binary, with behaviour that Postern does not have.
var fakes = map[string]func(){
	// Appends a line to the file TEST_STARTS, writes thirty lines to stderr, and exits with code 3 at the first request.
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
	// Writes a megabyte to stderr before each reply.
	"chatty": func() {
		answer(func(id int64) string {
			for number := 0; number < 10_000; number++ {
				fmt.Fprintf(os.Stderr, "%0100d\n", number)
			}
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id)
		})
	},
	// Writes 1,000,001 bytes without a line feed to stderr, and then replies to requests.
	"endless": func() {
		fmt.Fprint(os.Stderr, strings.Repeat("x", 1_000_001))
		answer(func(id int64) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id) })
	},
	// Replies to two requests at a time, in their order.
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
	// Writes the lines of TEST_SENDS at the first request, and replies to it with a list of TEST_ANSWERS lines that it
	// gets.
	"sends": func() {
		lines := bufio.NewScanner(os.Stdin)
		lines.Scan()
		var request struct{ ID int64 }
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			panic(err)
		}
		fmt.Println(os.Getenv("TEST_SENDS"))
		count, err := strconv.Atoi(os.Getenv("TEST_ANSWERS"))
		if err != nil {
			panic(err)
		}
		var answers []string
		for len(answers) < count && lines.Scan() {
			answers = append(answers, lines.Text())
		}
		fmt.Printf(`{"jsonrpc":"2.0","id":%d,"result":[%s]}`+"\n", request.ID, strings.Join(answers, ","))
		for lines.Scan() {
		}
	},
	// Replies with the value of TEST_SAYS, in which {{id}} is replaced by the request's id.
	"says": func() {
		answer(func(id int64) string {
			return strings.ReplaceAll(os.Getenv("TEST_SAYS"), "{{id}}", fmt.Sprint(id))
		})
	},
	// Sends TEST_EVENTS events before each reply.
	"streams": func() {
		count, err := strconv.Atoi(os.Getenv("TEST_EVENTS"))
		if err != nil {
			panic(err)
		}
		answer(func(id int64) string {
			sendEvents(count)
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id)
		})
	},
	// Replies to a request, sends 30,000 events, and prints a line on stderr once they are written.
	"floods": func() {
		answer(func(id int64) string {
			fmt.Printf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":null}\n", id)
			sendEvents(30_000)
			fmt.Fprintln(os.Stderr, "written")
			return ""
		})
	},
	// Reads no input, and ends only at SIGTERM.
	"deaf": stay,
	// Ends only at SIGKILL.
	"stubborn": func() {
		signal.Ignore(syscall.SIGTERM)
		answer(func(id int64) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id) })
		stay()
	},
	// Prints each id on stderr, and replies to all requests at the end of its input.
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
	// Reads nothing before SIGUSR1; then prints the id of each request on stderr, and replies.
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
	// Writes a line that is not a reply, and continues to run.
	"raves": func() {
		fmt.Println("garbage")
		stay()
	},
	// Closes its stdout, and continues to run.
	"mute": func() {
		os.Stdout.Close()
		stay()
	},
	// Closes its stdin, prints a line on stderr, and continues to run.
	"shut": func() {
		os.Stdin.Close()
		fmt.Fprintln(os.Stderr, "shut")
		stay()
	},
	// Starts a child that holds its pipes, and exits.
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

// sendEvents writes events with the numbers from 1 on.
func sendEvents(count int) {
	output := bufio.NewWriter(os.Stdout)
	for seq := 1; seq <= count; seq++ {
		fmt.Fprintf(output, `{"jsonrpc":"2.0","method":"event","params":{"seq":%d,"time":"2016-02-24T22:07:52.371513Z",`+
			`"api":"care","kind":"new_kind","by":"admin"}}`+"\n", seq)
	}
	output.Flush()
}

// stay runs for a minute.
func stay() { time.Sleep(time.Minute) }

// answer writes the text that say returns for each request, if any.
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
