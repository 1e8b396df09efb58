package postern_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

func TestNoOnExitStopsTheRestarts(t *testing.T) {
	released := make(chan struct{})
	defer close(released)
	for name, end := range map[string]func(){
		"panics": func() { panic("no") },
		"ends":   runtime.Goexit,
		"waits":  func() { <-released },
	} {
		var mutex sync.Mutex
		count, end := 0, end
		client, _ := openSupervised(t, postern.Options{OnExit: func(postern.Exit) {
			mutex.Lock()
			count++
			mutex.Unlock()
			end()
		}})
		for round := 0; round < 3; round++ {
			kill(t, client)
			if err := info(t, client); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := client.Close(); err != nil {
			t.Errorf("%s: Close gave %v", name, err)
		}
		mutex.Lock()
		if name == "waits" && count != 1 {
			t.Errorf("%d calls of OnExit at the same time", count)
		}
		mutex.Unlock()
	}
}

func TestOnExitMayMakeCalls(t *testing.T) {
	clients, results := make(chan *postern.Client, 1), make(chan error, 1)
	client, _ := openSupervised(t, postern.Options{OnExit: func(postern.Exit) {
		client := <-clients
		results <- info(t, client)
	}})
	clients <- client
	kill(t, client)
	if err := <-results; err != nil {
		t.Errorf("the call gave %v", err)
	}
}

func TestOnExitMayCloseTheClient(t *testing.T) {
	clients, results := make(chan *postern.Client, 1), make(chan error, 1)
	options, starts := wrapped(t, "", 0, 0)
	options.Backoff = postern.Backoff{First: time.Hour, Max: time.Hour}
	options.OnExit = func(postern.Exit) {
		client := <-clients
		results <- client.Close()
	}
	client, _ := openSupervised(t, options)
	clients <- client
	kill(t, client)
	select {
	case err := <-results:
		if err != nil {
			t.Errorf("Close gave %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Close does not return")
	}
	if err := info(t, client); err != postern.ErrClosed || startsIn(starts) != 1 {
		t.Errorf("%d starts: %v", startsIn(starts), err)
	}
}

func TestTheCallsOfOnExitComeInTheOrderOfTheExits(t *testing.T) {
	options, _ := wrapped(t, "kill", 2, 7)
	reported := &exits{}
	options.OnExit = func(exit postern.Exit) {
		if exit.FailedStarts%2 == 0 {
			time.Sleep(50 * time.Millisecond)
		}
		reported.add(exit)
	}
	client, _ := openSupervised(t, options)
	kill(t, client)
	for index, exit := range reported.taken(t, 7) {
		if exit.FailedStarts != index {
			t.Errorf("exit %d is %+v", index, exit)
		}
	}
}
