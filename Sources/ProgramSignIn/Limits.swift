/// The limits of what other programs send, each with its unit in its name.
enum Limits {
    /// Bytes of what a program that starts this one for each attempt writes about it.
    static let inputBytesMax = 16 << 10
    /// Bytes of a line of Squid, without its end.
    static let squidLineBytesMax = 16 << 10
    /// Digits of the number of a channel of Squid.
    static let squidChannelDigitsMax = 20
    /// Bytes that a helper has read and not yet answered: more than the longest request of ejabberd, 65,537, and the
    /// longest line of Squid. A full buffer without a whole request could not be told from the end of the input.
    static let requestBufferBytes = 128 << 10
}
