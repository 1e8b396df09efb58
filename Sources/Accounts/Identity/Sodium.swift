internal import CSodium

/// libsodium, made ready when it is first needed: asking the processor what it can do takes a virtual machine as long as
/// twenty requests, and a process that has just started is not to be late for that.
enum Sodium {
    /// To be called before anything whose speed matters. Without it libsodium works too, but with code for any processor,
    /// at half the speed.
    static func makeReady() { precondition(isReady, "libsodium cannot be used") }

    private static let isReady = sodium_init() >= 0
}
