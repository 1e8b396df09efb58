/// The reply to a read would be longer than its caller accepts.
package struct ReplyTooLong: Error {}
