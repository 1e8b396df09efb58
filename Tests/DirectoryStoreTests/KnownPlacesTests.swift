import Testing

@testable import DirectoryStore
@testable import Store

/// The offsets where lines were found, and the cache of recent values.
struct KnownPlacesTests {
    private func key(_ number: Int) -> StoreKey { StoreKey(bytes: Array("k/\(number)".utf8)) }

    @Test func findsOnlyTheOffsetsThatWereNoted() throws {
        let places = try KnownPlaces(fileBytes: 1 << 20)
        for number in 1...1000 { places.note(number * 300, for: KeyFingerprint(of: key(number))) }
        for number in 1...1000 {
            let fingerprint = KeyFingerprint(of: key(number))
            #expect(try places.first(for: fingerprint) { _ in true } == number * 300)
            #expect(try places.first(for: fingerprint) { _ in false } == nil)
        }
        for number in 1001...2000 {
            #expect(try places.first(for: KeyFingerprint(of: key(number))) { _ in true } == nil)
        }
    }

    /// Keys with the same fingerprint, which an attacker can construct.
    /// The caller's check of each offset distinguishes them.
    @Test func distinguishesOffsetsWithTheSameFingerprint() throws {
        let places = try KnownPlaces(fileBytes: 1)
        let fingerprint = KeyFingerprint(of: key(1))
        for offset in 1...8 { places.note(offset, for: fingerprint) }
        for offset in 1...8 { #expect(try places.first(for: fingerprint) { $0 == offset } == offset) }
        places.note(9, for: fingerprint)
        #expect(try places.first(for: fingerprint) { $0 == 9 } == 9)
        #expect(try (1...8).filter { offset in try places.first(for: fingerprint) { $0 == offset } != nil }.count == 7)
    }

    @Test func ignoresOffsetsOfMoreThanFortyBits() throws {
        let places = try KnownPlaces(fileBytes: 1)
        let fingerprint = KeyFingerprint(of: key(1))
        places.note(1 << 40, for: fingerprint)
        #expect(try places.first(for: fingerprint) { _ in true } == nil)
        places.note(1 << 40 - 1, for: fingerprint)
        #expect(try places.first(for: fingerprint) { _ in true } == 1 << 40 - 1)
    }

    @Test func keepsAValueThatIsNotedTwice() {
        var recent = RecentValues()
        let (key, value) = (key(1), StoredValue(bytes: [0x31]))
        let fingerprint = KeyFingerprint(of: key)
        #expect(recent.value(of: key, fingerprint) == nil)
        recent.note(value, of: key, fingerprint)
        #expect(recent.value(of: key, fingerprint) == nil)
        recent.note(value, of: key, fingerprint)
        #expect(recent.value(of: key, fingerprint) === value)
        #expect(recent.value(of: self.key(2), fingerprint) == nil)
    }

    /// Many more values than the cache holds, each noted once.
    @Test func keepsAValueInUseDuringAScanOfAllKeys() {
        var recent = RecentValues()
        let value = StoredValue(bytes: [0x31])
        for _ in 0..<2 { recent.note(value, of: key(0), KeyFingerprint(of: key(0))) }
        for number in 1...5 * Limits.recentValuesMax {
            recent.note(value, of: key(number), KeyFingerprint(of: key(number)))
        }
        #expect(recent.value(of: key(0), KeyFingerprint(of: key(0))) === value)
    }
}
