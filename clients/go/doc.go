// Package postern is a client of Postern, a user-accounts backend that runs as a child process of the program that
// uses it, and replies to JSON-RPC 2.0 requests over its stdin and stdout.
//
// [Open] starts the process, and [Client.Close] ends it. The parts of a method's name are fields of the client:
// `operators.client.create` is client.Operators.Client.Create. Any number of goroutines can call them; replies arrive
// in the order in which they are ready.
//
// # Errors
//
// An error reply of the service is a [CallError], and each slug of an API has its own type:
//
//	var wrong *postern.OperatorsWrongPassword
//	if errors.As(err, &wrong) {
//		fmt.Println(wrong.Message)
//	}
//
// Besides the errors that a method's documentation lists, any method can return [ServiceBusy], [ServiceDiskFull],
// [ServiceReadOnly] or [ServiceDamaged], which are errors of the store. The errors of the client are [ProcessEnded],
// [ProtocolError], [MessageTooLong] and [BinaryNotFound]; [ErrClosed], [ErrNotUTF8] and [ErrNestedTooDeep] are values
// to compare with. All of these implement [Error]. If a context ends, the call returns an error that wraps the context's
// error, such as [context.DeadlineExceeded].
//
// # Optional params and times
//
// Optional params are pointers; nil leaves a param out, and [Ptr] makes a pointer from a value. An empty string has the
// effect of null: in care.user.change, for example, it clears a phone number. Times are a [time.Time] in UTC, with
// microseconds; a day without a time is text, as in 2016-02-24.
package postern
