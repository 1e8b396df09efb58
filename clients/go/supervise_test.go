package postern_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

var quick = postern.Backoff{First: time.Millisecond, Max: 20 * time.Millisecond}

func init() {
	// Counts its starts in the file TEST_STARTS. From start TEST_FAILS_FROM to start TEST_FAILS_TO it does what TEST_FAILS
	// says, and otherwise becomes Postern.
	fakes["wraps"] = func() {
		file, err := os.OpenFile(os.Getenv("TEST_STARTS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(file, "started")
		start := startsIn(os.Getenv("TEST_STARTS"))
		from, _ := strconv.Atoi(os.Getenv("TEST_FAILS_FROM"))
		to, _ := strconv.Atoi(os.Getenv("TEST_FAILS_TO"))
		if from <= start && start <= to {
			switch os.Getenv("TEST_FAILS") {
			case "kill":
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			case "exit":
				fmt.Fprintln(os.Stderr, "start", start)
				os.Exit(7)
			case "serve once":
				answer(func(id int64) string {
					if id > 1 {
						_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
					}
					return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"contract":"1.0.0"}}`, id)
				})
			case "accept and die":
				answer(func(id int64) string {
					if id > 1 && start == from {
						_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
					}
					if id > 1 {
						return "garbage"
					}
					return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"contract":"1.0.0"}}`, id)
				})
			case "die after an effect":
				dieAfterAnEffect()
			case "stream":
				answer(func(id int64) string {
					sendEvents(20_100)
					return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":null}`, id)
				})
			case "sleep":
				time.Sleep(500 * time.Millisecond)
			}
		}
		panic(syscall.Exec(os.Getenv("POSTERN_BIN"), append([]string{"postern"}, os.Args[1:]...), os.Environ()))
	}
}

// dieAfterAnEffect passes two requests on to a Postern, and the reply to the first one.
func dieAfterAnEffect() {
	service := exec.Command(os.Getenv("POSTERN_BIN"), os.Args[1:]...)
	requests, _ := service.StdinPipe()
	replies, _ := service.StdoutPipe()
	if err := service.Start(); err != nil {
		panic(err)
	}
	read, lines := bufio.NewReader(replies), bufio.NewReader(os.Stdin)
	for number := 0; number < 2; number++ {
		request, _ := lines.ReadString('\n')
		fmt.Fprint(requests, request)
		reply, _ := read.ReadString('\n')
		if number == 0 {
			fmt.Print(reply)
		}
	}
	requests.Close()
	_ = service.Wait()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

func startsIn(path string) int {
	text, _ := os.ReadFile(path)
	return strings.Count(string(text), "\n")
}

// exits collects what OnExit reports.
type exits struct {
	mutex sync.Mutex
	all   []postern.Exit
}

func (e *exits) add(exit postern.Exit) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.all = append(e.all, exit)
}

// taken waits until so many are there, because nothing else waits for OnExit, and returns all.
func (e *exits) taken(t *testing.T, count int) []postern.Exit {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		e.mutex.Lock()
		all := append([]postern.Exit(nil), e.all...)
		e.mutex.Unlock()
		if len(all) >= count {
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("OnExit got %+v, not %d exits", all, count)
		}
	}
}

// openSupervised opens a supervised client with a store in a directory.
func openSupervised(t *testing.T, options postern.Options) (*postern.Client, *exits) {
	t.Helper()
	reported := &exits{}
	options.Data = t.TempDir()
	options.Supervise = true
	options.Arguments = append(options.Arguments, "--no-email-confirmation")
	if options.OnExit == nil {
		options.OnExit = reported.add
	}
	if options.Backoff == (postern.Backoff{}) {
		options.Backoff = quick
	}
	return open(t, options), reported
}

// wrapped are the options for the fake "wraps", and the file of its starts.
func wrapped(t *testing.T, fails string, from, to int) (postern.Options, string) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	starts := filepath.Join(t.TempDir(), "starts")
	return postern.Options{Binary: binary, Env: []string{
		"TEST_FAKE=wraps", "TEST_STARTS=" + starts, "TEST_FAILS=" + fails,
		fmt.Sprintf("TEST_FAILS_FROM=%d", from), fmt.Sprintf("TEST_FAILS_TO=%d", to),
	}}, starts
}

func kill(t *testing.T, client *postern.Client) {
	t.Helper()
	if err := syscall.Kill(client.PID(), syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		t.Error(err)
	}
}

func info(t *testing.T, client *postern.Client) error {
	t.Helper()
	_, err := client.System.Info(limited(t))
	return err
}

func wasKilled(err error) bool {
	var ended *postern.ProcessEnded
	return errors.As(err, &ended) && ended.Signal == syscall.SIGKILL
}

func TestACallInFlightIsSentAgainIfItIsIdempotentAndOtherwiseItsOutcomeIsUnknown(t *testing.T) {
	client, reported := openSupervised(t, postern.Options{})
	operator := register(t, client)
	before := client.PID()
	const calls = 20
	checks, signins := make(chan error, calls), make(chan error, calls)
	for number := 0; number < calls; number++ {
		go func() {
			checks <- client.Operators.CheckPassword(limited(t), postern.OperatorsCheckPasswordParams{
				UserID:          operator.ID,
				SessionID:       operator.SessionID,
				CurrentPassword: "a long password",
			})
		}()
		go func() {
			_, err := client.Operators.Signin(limited(t), postern.OperatorsSigninParams{
				Email:    "lasoren+0@bu.edu",
				Password: "a long password",
			})
			signins <- err
		}()
	}
	first := <-signins
	kill(t, client)
	failed := 0
	for number := 0; number < calls; number++ {
		if err := <-checks; err != nil {
			t.Errorf("check_password gave %v", err)
		}
		if err := first; err != nil {
			failed++
			if !wasKilled(err) || !strings.Contains(err.Error(), "the outcome is unknown") {
				t.Errorf("signin gave %v", err)
			}
		}
		if number < calls-1 {
			first = <-signins
		}
	}
	if failed == 0 {
		t.Error("no signin was in flight, so the test proves nothing")
	}
	if client.PID() == before {
		t.Error("the process is the same")
	}
	all := reported.taken(t, 1)
	if len(all) != 1 || !wasKilled(all[0].Err) || all[0].Delay <= 0 || all[0].GaveUp || all[0].FailedStarts != 0 {
		t.Errorf("OnExit got %+v", all)
	}
}

func TestACallIsRepeatedOnlyOnce(t *testing.T) {
	options, starts := wrapped(t, "serve once", 1, 100)
	client, _ := openSupervised(t, options)
	if err := info(t, client); !wasKilled(err) {
		t.Errorf("got %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); startsIn(starts) < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d starts", startsIn(starts))
		}
	}
}

func TestARefusalOfARepeatedChangeDoesNotHideThatTheFirstRequestMayHaveTakenEffect(t *testing.T) {
	options, starts := wrapped(t, "die after an effect", 1, 1)
	client, _ := openSupervised(t, options)
	if _, err := client.Operators.Register(limited(t), registration(0)); !wasKilled(err) || startsIn(starts) != 2 {
		t.Errorf("%d starts: %v", startsIn(starts), err)
	}
	if _, err := client.Operators.Register(limited(t), registration(0)); !isExists(err) {
		t.Errorf("got %v", err)
	}
	// A method that only reads has no effect to find.
	options, _ = wrapped(t, "serve once", 1, 1)
	client, _ = openSupervised(t, options)
	var refused *postern.OperatorsAuthenticationFailed
	params := postern.OperatorsAccountParams{UserID: 1, SessionID: "x"}
	if _, err := client.Operators.Account(limited(t), params); !errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
}

func TestTheOutcomeOfAChangeIsUnknownHoweverItsRepetitionFails(t *testing.T) {
	// The second process writes garbage in place of the reply.
	options, _ := wrapped(t, "accept and die", 1, 2)
	client, _ := openSupervised(t, options)
	_, err := client.Operators.Register(limited(t), registration(0))
	var fault *postern.ProtocolError
	if !wasKilled(err) || errors.As(err, &fault) || !strings.Contains(err.Error(), "garbage") {
		t.Errorf("got %v", err)
	}
	options, _ = wrapped(t, "accept and die", 1, 2)
	client, _ = openSupervised(t, options)
	if err := info(t, client); !errors.As(err, &fault) {
		t.Errorf("a method that only reads gave %v", err)
	}
	// The client is closed before the second process starts; then it is the context that ends.
	for _, end := range []func(*postern.Client, context.CancelFunc){
		func(client *postern.Client, _ context.CancelFunc) { client.Close() },
		func(_ *postern.Client, cancel context.CancelFunc) { cancel() },
	} {
		options, _ = wrapped(t, "accept and die", 1, 1)
		options.Backoff = postern.Backoff{First: time.Hour, Max: time.Hour}
		client, reported := openSupervised(t, options)
		ctx, cancel := context.WithCancel(limited(t))
		result := make(chan error, 1)
		go func() {
			_, err := client.Operators.Register(ctx, registration(0))
			result <- err
		}()
		reported.taken(t, 1)
		end(client, cancel)
		err := <-result
		isClosed := strings.Contains(err.Error(), "the client is closed")
		if isClosed != wasKilled(err) || isClosed == errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		cancel()
	}
}

func TestKillsAtThreeStartsOnlyDelayACall(t *testing.T) {
	options, starts := wrapped(t, "kill", 2, 4)
	client, reported := openSupervised(t, options)
	kill(t, client)
	if err := info(t, client); err != nil {
		t.Fatal(err)
	}
	if count := startsIn(starts); count != 5 {
		t.Errorf("%d starts", count)
	}
	for index, exit := range reported.taken(t, 4) {
		if exit.FailedStarts != index || exit.GaveUp || exit.Delay <= 0 || !wasKilled(exit.Err) {
			t.Errorf("exit %d is %+v", index, exit)
		}
	}
	// A start has succeeded since, so the count begins again.
	kill(t, client)
	if err := info(t, client); err != nil {
		t.Fatal(err)
	}
	if all := reported.taken(t, 5); len(all) != 5 || all[4].FailedStarts != 0 {
		t.Errorf("OnExit got %+v", all)
	}
}

func TestKillsInALoopLoseNoAcknowledgedWrite(t *testing.T) {
	client, reported := openSupervised(t, postern.Options{})
	operator := register(t, client)
	stop := make(chan struct{})
	var group sync.WaitGroup
	var mutex sync.Mutex
	var acknowledged []string
	for task := 0; task < 4; task++ {
		task := task
		group.Add(2)
		go func() {
			defer group.Done()
			for number := 0; ; number++ {
				select {
				case <-stop:
					return
				default:
				}
				email := fmt.Sprintf("mary+%d.%d@example.com", task, number)
				person := postern.OperatorsPersonInput{FirstName: "Mary", LastName: "Major", Email: email}
				_, err := client.Operators.Client.Create(limited(t), postern.OperatorsClientCreateParams{
					UserID:    operator.ID,
					SessionID: operator.SessionID,
					Client:    postern.OperatorsClientInput{User: person, Address: "12 Grimmauld Place, London"},
				})
				if err == nil {
					mutex.Lock()
					acknowledged = append(acknowledged, email)
					mutex.Unlock()
				} else if !wasKilled(err) {
					t.Errorf("create gave %v", err)
				}
			}
		}()
		go func() {
			defer group.Done()
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				// Two kills can meet the same call.
				if err := info(t, client); err != nil && !wasKilled(err) {
					t.Errorf("system.info gave %v", err)
				}
			}
		}()
	}
	for count := 0; count < 20; count++ {
		time.Sleep(50 * time.Millisecond)
		kill(t, client)
	}
	close(stop)
	group.Wait()
	list, err := client.Operators.Clients.Get(limited(t), postern.OperatorsClientsGetParams{
		UserID: operator.ID, SessionID: operator.SessionID,
	})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for _, created := range list.Clients {
		stored[created.User.Email] = true
	}
	for _, email := range acknowledged {
		if !stored[email] {
			t.Errorf("%s was acknowledged and is not stored", email)
		}
	}
	if ends := len(reported.taken(t, 10)); len(acknowledged) < 10 {
		t.Errorf("%d writes, %d ends", len(acknowledged), ends)
	}
}

func TestAfterTooManyFailedStartsTheClientGivesUp(t *testing.T) {
	options, starts := wrapped(t, "exit", 2, 100)
	options.Backoff = postern.Backoff{First: 2 * time.Millisecond, Max: 16 * time.Millisecond, FailedStartsMax: 5}
	options.Events = true
	client, reported := openSupervised(t, options)
	operator := register(t, client)
	// The event comes after the reply; nothing shows that it has arrived, as it is not taken yet.
	time.Sleep(time.Second)
	kill(t, client)
	var ended *postern.ProcessEnded
	if err := info(t, client); !errors.As(err, &ended) || ended.ExitCode != 7 || ended.Stderr[0] != "start 6" {
		t.Errorf("got %v", err)
	}
	// The event has arrived before the end.
	if event, err := client.NextEvent(limited(t)); err != nil || *event.Account != operator.ID {
		t.Errorf("the event is %+v, %v", event, err)
	}
	if _, err := client.NextEvent(limited(t)); !errors.As(err, &ended) || ended.ExitCode != 7 {
		t.Errorf("got %v", err)
	}
	all := reported.taken(t, 6)
	if len(all) != 6 || startsIn(starts) != 6 {
		t.Fatalf("%d starts, OnExit got %+v", startsIn(starts), all)
	}
	for index, expected := range []time.Duration{2, 4, 8, 16, 16} {
		expected *= time.Millisecond
		if delay := all[index].Delay; delay < expected*4/5 || delay > expected*6/5 || all[index].GaveUp {
			t.Errorf("exit %d is %+v", index, all[index])
		}
	}
	if last := all[5]; !last.GaveUp || last.Delay != 0 || last.FailedStarts != 5 {
		t.Errorf("the last exit is %+v", last)
	}
	if err := client.Close(); !errors.As(err, &ended) || ended.ExitCode != 7 {
		t.Errorf("Close gave %v", err)
	}
}

func TestByDefaultTheFirstWaitIsATenthOfASecond(t *testing.T) {
	client, reported := openSupervised(t, postern.Options{Backoff: postern.Backoff{FailedStartsMax: 3}})
	kill(t, client)
	if err := info(t, client); err != nil {
		t.Fatal(err)
	}
	if delay := reported.taken(t, 1)[0].Delay; delay < 80*time.Millisecond || delay > 120*time.Millisecond {
		t.Errorf("it is %v", delay)
	}
}

func TestAfterAProcessHasServedLongEnoughTheWaitsAreShortAgain(t *testing.T) {
	backoff := postern.Backoff{First: time.Millisecond, Max: time.Second, ResetAfter: 2 * time.Second}
	client, reported := openSupervised(t, postern.Options{Backoff: backoff})
	for _, wait := range []time.Duration{0, 0, 0, 2500 * time.Millisecond} {
		time.Sleep(wait)
		kill(t, client)
		if err := info(t, client); err != nil {
			t.Fatal(err)
		}
	}
	all := reported.taken(t, 4)
	if len(all) != 4 || all[2].Delay < 3*time.Millisecond || all[3].Delay > 2*time.Millisecond {
		t.Errorf("OnExit got %+v", all)
	}
}

func TestTheFirstStartIsNotRepeated(t *testing.T) {
	options, starts := wrapped(t, "exit", 1, 100)
	options.Data, options.Supervise, options.Log = t.TempDir(), true, func(postern.LogLevel, string) {}
	var ended *postern.ProcessEnded
	if _, err := postern.Open(options); !errors.As(err, &ended) || ended.ExitCode != 7 || startsIn(starts) != 1 {
		t.Errorf("%d starts: %v", startsIn(starts), err)
	}
}

func TestOptionsOfTheSupervisionWithoutEffectOrMeaningAreRefused(t *testing.T) {
	options, starts := wrapped(t, "", 0, 0)
	const unsupervised, negative = "need Options.Supervise", "is negative"
	for _, refused := range []struct {
		supervise bool
		onExit    func(postern.Exit)
		backoff   postern.Backoff
		reason    string
	}{
		{false, func(postern.Exit) {}, postern.Backoff{}, unsupervised},
		{false, nil, postern.Backoff{First: time.Second}, unsupervised},
		{true, nil, postern.Backoff{First: -1}, negative},
		{true, nil, postern.Backoff{Max: -1}, negative},
		{true, nil, postern.Backoff{ResetAfter: -1}, negative},
		{true, nil, postern.Backoff{FailedStartsMax: -1}, negative},
	} {
		options.Supervise, options.OnExit, options.Backoff = refused.supervise, refused.onExit, refused.backoff
		client, err := postern.Open(options)
		if err == nil {
			client.Close()
			t.Errorf("%+v is not refused", refused)
		} else if !strings.Contains(err.Error(), refused.reason) {
			t.Errorf("%+v gave %v", refused, err)
		}
	}
	if count := startsIn(starts); count != 0 {
		t.Errorf("%d starts", count)
	}
}

func TestByDefaultTenStartsMayFail(t *testing.T) {
	options, _ := wrapped(t, "exit", 2, 100)
	client, reported := openSupervised(t, options)
	kill(t, client)
	if all := reported.taken(t, 11); !all[10].GaveUp || all[10].FailedStarts != 10 || all[9].GaveUp {
		t.Errorf("OnExit got %+v", all)
	}
}

func TestAStoreInMemoryIsNotSupervised(t *testing.T) {
	folder := t.TempDir()
	for _, options := range []postern.Options{
		{Data: ":memory:"},
		{Arguments: []string{"--data", ":memory:"}},
		{Arguments: []string{"--data=:memory:"}},
		{Env: []string{"POSTERN_DATA=:memory:"}},
		{Env: []string{"POSTERN_DATA=" + folder, "POSTERN_DATA=:memory:"}},
	} {
		options.Supervise = true
		client, err := postern.Open(options)
		if err == nil {
			client.Close()
		}
		if err != postern.ErrInMemory {
			t.Errorf("%+v gave %v", options, err)
		}
	}
	// A flag overrides the variable.
	client := open(t, postern.Options{Data: folder, Env: []string{"POSTERN_DATA=:memory:"}, Supervise: true})
	if err := info(t, client); err != nil {
		t.Error(err)
	}
}

func TestACallThatWaitsForAProcessEndsWithItsContextAndWithTheClient(t *testing.T) {
	client, _ := openSupervised(t, postern.Options{Backoff: postern.Backoff{First: time.Hour, Max: time.Hour}})
	kill(t, client)
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := client.System.Info(short); !errors.Is(err, context.DeadlineExceeded) ||
		strings.Count(err.Error(), "postern: ") != 1 {
		t.Errorf("got %v", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- info(t, client) }()
	time.Sleep(50 * time.Millisecond)
	if err := client.Close(); err != nil {
		t.Errorf("Close gave %v", err)
	}
	if err := <-waiting; err != postern.ErrClosed {
		t.Errorf("got %v", err)
	}
	if err := info(t, client); err != postern.ErrClosed {
		t.Errorf("got %v", err)
	}
}

func TestEventsContinueAfterTheLastOneThatHasArrived(t *testing.T) {
	client, _ := openSupervised(t, postern.Options{EventsAfter: postern.Ptr(int64(0))})
	register(t, client)
	credentials := postern.OperatorsSigninParams{Email: "lasoren+0@bu.edu", Password: "a long password"}
	seq := int64(0)
	for round := int64(0); round < 6; round++ {
		if _, err := client.Operators.Signin(limited(t), credentials); err != nil {
			t.Fatal(err)
		}
		// Every second time the events are taken from a process that has ended.
		for round%2 == 1 && seq < 2+round {
			event, err := client.NextEvent(limited(t))
			if err != nil || event.Seq != seq+1 {
				t.Fatalf("after %d comes %+v, %v", seq, event, err)
			}
			seq = event.Seq
		}
		kill(t, client)
		// It is sent again, so that the next call, which is not, finds the next process.
		if err := info(t, client); err != nil {
			t.Fatal(err)
		}
	}
}

// During the wait for the next start there is no process.
func TestEventsThatHaveArrivedAreTakenBetweenTwoProcesses(t *testing.T) {
	options, _ := wrapped(t, "stream", 1, 1)
	options.EventsAfter = postern.Ptr(int64(0))
	options.Backoff = postern.Backoff{First: time.Hour, Max: time.Hour}
	client, reported := openSupervised(t, options)
	kill(t, client)
	reported.taken(t, 1)
	wantNumbers(t, take(t, client, 20000), 1)
	var lost *postern.EventsLost
	if _, err := client.NextEvent(limited(t)); !errors.As(err, &lost) || lost.After != 20000 {
		t.Errorf("after the events comes %v", err)
	}
}

func TestTheWaitForAnEventBetweenTwoProcessesEndsWithItsContextAndWithTheClient(t *testing.T) {
	client, reported := openSupervised(t, postern.Options{
		Events:  true,
		Backoff: postern.Backoff{First: time.Hour, Max: time.Hour},
	})
	kill(t, client)
	reported.taken(t, 1)
	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := client.NextEvent(short)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "postern: next event: ") {
		t.Errorf("got %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { client.Close() })
	if _, err := client.NextEvent(limited(t)); err != postern.ErrClosed {
		t.Errorf("got %v", err)
	}
}

func TestMailsAreDeliveredByTheNextProcessToo(t *testing.T) {
	mails := make(chan string, 1)
	client, _ := openSupervised(t, postern.Options{DeliverMail: func(_ context.Context, mail postern.ServiceMail) error {
		mails <- mail.To
		return nil
	}})
	kill(t, client)
	if err := info(t, client); err != nil {
		t.Fatal(err)
	}
	params := postern.OperatorsResetPasswordParams{Email: register(t, client).User.Email}
	if err := client.Operators.ResetPassword(limited(t), params); err != nil {
		t.Fatal(err)
	}
	if to := <-mails; to != "lasoren+0@bu.edu" {
		t.Errorf("it was for %s", to)
	}
}

func TestCloseDuringAStartEndsThatProcess(t *testing.T) {
	options, starts := wrapped(t, "sleep", 2, 100)
	client, _ := openSupervised(t, options)
	kill(t, client)
	for deadline := time.Now().Add(10 * time.Second); startsIn(starts) < 2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if err := client.Close(); err != nil {
		t.Errorf("Close gave %v", err)
	}
	time.Sleep(700 * time.Millisecond)
	if count := startsIn(starts); count != 2 {
		t.Errorf("%d starts", count)
	}
}
