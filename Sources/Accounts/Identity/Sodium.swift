internal import CSodium

/// libsodium, made ready once.
enum Sodium {
    /// Whether it is ready for use. Without this it works too, but with code for any processor, at half the speed.
    static let isReady = sodium_init() >= 0
}
