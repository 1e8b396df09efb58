// Package postern is a client of Postern, a user-accounts backend that runs as a child process of the program that
// uses it, and answers JSON-RPC 2.0 requests over its stdin and stdout.
//
// [Open] starts the process, and [Client.Close] ends it. In between, the methods are found by the words of their names:
// `operators.client.create` is client.Operators.Client.Create. They may be called from any number of goroutines;
// replies come as they are ready.
//
// # Errors
//
// An error that the service answers with is a [CallError], and has a type of its own by its API and its slug:
//
//	var wrong *postern.OperatorsWrongPassword
//	if errors.As(err, &wrong) {
//		fmt.Println(wrong.Message)
//	}
//
// Besides those that a method names, any method may end with [ServiceBusy], [ServiceDiskFull], [ServiceReadOnly] or [ServiceDamaged], which tell of
// the store. What else may go wrong has types as well: [ProcessEnded], [ProtocolError], [MessageTooLong] and
// [BinaryNotFound]; [ErrClosed], [ErrNotUTF8] and [ErrNestedTooDeep] are values to compare with. All of these are an
// [Error]. A context that ends gives an error that wraps its own, such as [context.DeadlineExceeded].
//
// # What may be left out
//
// Params that may be left out are pointers; nil leaves them out, and [Ptr] makes one of a value. An empty string does
// what null does: in care.user.change, say, it clears a phone number. Times are handed on as the text they are, as in
// 2016-02-24T22:07:52.371513Z: formatting a [time.Time] would drop zeros at the end.
package postern
