/// The answer to a read would be longer than its caller takes.
package struct AnswerTooLong: Error {}
