import Testing

@testable import PostgresStore

struct CommitIDTests {
    private static let halfRetentionMicroseconds = CommitID.retentionSeconds * 1_000_000 / 2

    @Test(arguments: [
        (0, [0, 0, 0, 0, 0, 0] as [UInt8]), (1_999, [0, 0, 0, 0, 0, 1]), (256_000, [0, 0, 0, 0, 1, 0]),
        (1_700_000_000_123_456, [0x01, 0x8B, 0xCF, 0xE5, 0x68, 0x7B]),
    ])
    func beginsWithTheMilliseconds(time: Int, first: [UInt8]) {
        let id = CommitID(atMicroseconds: time)
        #expect(id.bytes.count == 16 && Array(id.bytes.prefix(6)) == first)
    }

    @Test func sortsByAge() {
        let times = [0, 1_000, 255_000, 256_000, 1 << 40, 1_700_000_000_000_000, 1_700_000_000_001_000, 1 << 57]
        let ids = times.map { CommitID(atMicroseconds: $0).bytes }
        for (earlier, later) in zip(ids, ids.dropFirst()) { #expect(earlier.lexicographicallyPrecedes(later)) }
    }

    @Test func isUniqueWithinAMillisecond() {
        #expect(Set((0..<10_000).map { _ in CommitID(atMicroseconds: 1_000).bytes }).count == 10_000)
    }

    @Test(arguments: [
        (-1_000, false), (0, false), (halfRetentionMicroseconds, false), (halfRetentionMicroseconds + 1_000, true),
    ])
    func isForgottenAfterHalfOfTheRetention(age: Int, isForgotten: Bool) {
        let id = CommitID(atMicroseconds: TestClock.start)
        #expect(id.isForgotten(atMicroseconds: TestClock.start + age) == isForgotten)
    }
}
