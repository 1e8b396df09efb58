/// When a mail that could not be delivered is tried again: after a minute, and then after twice as long each time, up
/// to an hour.
enum RetryPolicy {
    /// How many seconds to wait after the attempt of that number, the first being 1; nil to give up.
    static func seconds(afterAttempt attempt: Int) -> Int? {
        guard attempt < Limits.attemptsMax else { return nil }
        return min(Limits.firstRetrySeconds << (attempt - 1), Limits.retrySecondsMax)
    }
}
