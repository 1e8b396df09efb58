package postern

import (
	"context"
	"time"
)

// Options say how to start Postern. The zero value starts the `postern` that is on PATH, on ./postern-data.
type Options struct {
	// Binary is the path of the binary, or its name on PATH. If it is empty, the environment variable POSTERN_BIN names
	// the binary. If that is empty too, it is the first `postern` on PATH, or else the one in the folder of the host's
	// executable.
	Binary string
	// Data is the directory of the data, or `:memory:`; the program's default if it is empty.
	Data string
	// Arguments are further flags, such as `--no-email-confirmation`.
	Arguments []string
	// Dir is the working directory of the process; the host's if it is empty.
	Dir string
	// Env has variables `NAME=value` that are added to the host's environment.
	Env []string
	// Log is called with each message of the program's log, one call at a time, and with each other line that the process
	// writes to its stderr, at [LogError]; if it is nil, the lines go to the host's stderr. If Log is slow, the process
	// does not wait: 16 MiB of lines are buffered, and later lines are dropped. If Log panics, the line goes to stderr,
	// and the host continues. With Go 1.21, SlogLog makes it from a *slog.Logger.
	Log func(level LogLevel, message string)
	// DeliverMail delivers each mail, on a goroutine of its own; the flag `--mail host` is added. If it returns an error,
	// panics, or takes longer than 30 s, the process tries again later. Up to four mails are delivered at the same time.
	// The context ends when the process has ended.
	DeliverMail func(ctx context.Context, mail ServiceMail) error
	// Events makes the process send the events of the audit trail, from now on, which NextEvent returns; the flag
	// `--events` is added.
	Events bool
	// EventsAfter does the same, but from the event after the one with this number, or with 0 from the earliest that is
	// kept.
	EventsAfter *int64
	// CloseWait is how long Close waits for the process to end before it sends SIGTERM; 30 s if it is 0.
	CloseWait time.Duration
	// NoWait makes Open return before the process serves. If the process cannot serve, the first call fails. With
	// Supervise, Open always waits.
	NoWait bool
	// Supervise starts the process again after it has ended. Calls wait for the next process as long as their contexts
	// allow. A call in flight is sent once more if its method is idempotent, which the method's documentation says, and
	// otherwise returns a [ProcessEnded]: the outcome is unknown. If a repeated call that changes something fails,
	// errors.As finds a [ProcessEnded] too, and not the second failure, which is in the text: the first request may be
	// the reason, as when the email of a registration is taken. [Client.NextEvent] continues after the last event that
	// has arrived; if none has, set EventsAfter to miss none. Refused for `:memory:`, see [ErrInMemory].
	Supervise bool
	// OnExit is called each time that a supervised process has ended or could not be started, when the wait before the
	// next start begins. The calls follow each other, on goroutines of the client that nothing waits for: OnExit may make
	// calls, close the client, or take long, and its last call may come after Close has returned. If it panics, a line
	// goes to stderr, and the host continues. Open refuses it without Supervise.
	OnExit func(Exit)
	// Backoff is how long a supervised client waits before each start. Open refuses it without Supervise.
	Backoff Backoff
}

// Exit is the end of a supervised process.
type Exit struct {
	// How it ended, or why it could not be started.
	Err error
	// How many starts have failed since the last process that has served.
	FailedStarts int
	// The wait until the next start.
	Delay time.Duration
	// Whether no start follows, so that all calls return Err from now on.
	GaveUp bool
}

// Backoff has the waits before the starts of a supervised process. Each varies by a fifth. A zero field has the
// default, and Open refuses a negative one.
type Backoff struct {
	// The first wait, which doubles with each start; 100 ms by default.
	First time.Duration
	// The longest wait; 5 s by default.
	Max time.Duration
	// How long a process must serve until the next wait is the first again; 10 s by default.
	ResetAfter time.Duration
	// How many starts in a row may fail before the client gives up; 10 by default, and so with 0.
	FailedStartsMax int
}
