import Testing

@testable import Accounts

struct TimestampTests {
    @Test(arguments: [
        ("2016-02-24T22:07:52.371513Z", 1_456_351_672_371_513), ("1970-01-01T00:00:00.000000Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1), ("2016-02-29T00:00:00.000001Z", 1_456_704_000_000_001),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ])
    func readsAndWritesItsText(text: String, microseconds: Int) {
        #expect(Timestamp(text)?.microseconds == microseconds)
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    /// 1900 and 2100 have no leap day, 2000 has one.
    @Test func writesEachDayFrom1890To2100() {
        for day in -29_219..<47_847 {
            let timestamp = Timestamp(microseconds: day * 86_400_000_000 + 1)
            #expect(Timestamp(timestamp.description) == timestamp)
        }
    }

    @Test(arguments: [
        "", "2016-02-24", "2016-02-24T22:07:52Z", "2016-02-24T22:07:52.371513", "2016-02-24 22:07:52.371513Z",
        "2016-02-30T00:00:00.000000Z", "2015-02-29T00:00:00.000000Z", "2016-13-01T00:00:00.000000Z",
        "2016-00-01T00:00:00.000000Z", "2016-02-24T24:00:00.000000Z", "2016-02-24T22:60:00.000000Z",
        "2016-02-24T22:07:60.000000Z", "2016-02-24T22:07:52.37151éZ", "+016-02-24T22:07:52.371513Z",
    ])
    func refusesInvalidTimestamps(text: String) {
        #expect(Timestamp(text) == nil)
    }

    /// Writing uses the system's calendar, and reading counts days. Covers all years, and all days of a month.
    @Test func agreesWithTheSystemsCalendar() {
        let (first, end) = (-719_528, 2_932_897)
        for day in stride(from: first, to: end, by: 61) {
            let timestamp = Timestamp(microseconds: day * 86_400 * 1_000_000 + 1)
            #expect(Timestamp(timestamp.description) == timestamp)
        }
        #expect(Timestamp(microseconds: first * 86_400 * 1_000_000).description == "0000-01-01T00:00:00.000000Z")
    }

    @Test func roundsSecondsUpAndUnixTimeDown() {
        let start = Timestamp(microseconds: 500_000)
        #expect(start.seconds == 0 && Timestamp(microseconds: -1).seconds == -1)
        #expect(start.seconds(until: Timestamp(microseconds: 1_500_001)) == 2)
        #expect(start.adding(seconds: 2).microseconds == 2_500_000)
    }
}
