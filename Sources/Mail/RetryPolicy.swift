/// The backoff of failed deliveries: one minute, then twice as long after each attempt, up to an hour.
enum RetryPolicy {
    /// The seconds to wait after the attempt with this number, the first being 1; nil to give up.
    static func seconds(afterAttempt attempt: Int) -> Int? {
        guard attempt < Limits.attemptsMax else { return nil }
        return min(Limits.firstRetrySeconds << (attempt - 1), Limits.retrySecondsMax)
    }
}
