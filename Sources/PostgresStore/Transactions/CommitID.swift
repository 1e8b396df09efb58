/// The id of a transaction that writes, under which its outcome can be found.
///
/// It begins with the time, so that ids sort by age.
struct CommitID: Equatable {
    /// Six bytes of milliseconds of Unix time, then ten random bytes.
    let bytes: [UInt8]
    private let milliseconds: Int

    /// How long the server keeps marks.
    static let retentionSeconds = 7_200

    init(atMicroseconds time: Int) {
        var random = SystemRandomNumberGenerator()
        milliseconds = time / 1_000
        bytes = Self.time(milliseconds) + (0..<10).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    /// Whether a mark could have been deleted already at a time, so that its absence says nothing.
    func isForgotten(atMicroseconds time: Int) -> Bool {
        time / 1_000 - milliseconds > Self.retentionSeconds * 1_000 / 2
    }

    private static func time(_ milliseconds: Int) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * $0)) }
    }
}
