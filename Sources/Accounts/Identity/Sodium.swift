internal import CSodium

/// Initialises libsodium when it is first used, not at start: detecting the processor's features takes as long as
/// twenty requests on a virtual machine, and would delay the start.
enum Sodium {
    /// Initialises libsodium. Call it before any function whose speed matters: without it libsodium works, but at half
    /// the speed, with code that runs on any processor.
    static func makeReady() { precondition(isReady, "libsodium cannot be used") }

    private static let isReady = sodium_init() >= 0
}
