import PosternTesting
import Testing

@testable import DirectoryStore
@testable import Store

struct KeySpaceTests {
    /// Random operations, compared with a dictionary that is sorted for each scan.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func agreesWithADictionary(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var space = KeySpace()
        var model: [String: String] = [:]
        for step in 0..<6000 {
            let key = "k\(random.next() % 1500)"
            // Removals come in waves, so that the runs both grow and empty.
            let removes = random.next() % 10 < (step / 1500 % 2 == 0 ? 2 : 8)
            let value = removes ? nil : "\(step)"
            let previous = space.set(value.map(stored), at: storeKey(key))
            #expect(previous?.text == model[key])
            model[key] = value
            #expect(space[storeKey(key)]?.text == value)
            #expect(space.count == model.count)
            if step % 50 == 0 { try compareScan(of: space, with: model, &random) }
        }
    }

    private func compareScan(of space: KeySpace, with model: [String: String], _ random: inout SplitMix) throws {
        let (lower, upper) = ("k\(random.next() % 1600)", "k\(random.next() % 1600)")
        let descending = random.next() % 2 == 0
        let limit = Int(random.next() % 400)
        var found: [String] = []
        space.scan(from: storeKey(lower), upTo: storeKey(upper), descending: descending) { key, value in
            found.append("\(key.text)=\(value.text)")
            return found.count <= limit
        }
        // Swift orders ASCII strings by their bytes.
        let inside = model.filter { $0.key >= lower && $0.key < upper }.sorted { $0.key < $1.key }
        let ordered = descending ? inside.reversed() : inside
        #expect(found == ordered.prefix(limit + 1).map { "\($0.key)=\($0.value)" })
    }

    @Test func ordersByBytesAndNotByCharacters() {
        var space = KeySpace()
        let keys = ["", "a", "a/", "a0", "e\u{301}", "z", "\u{E9}"]
        for key in keys.reversed() { space.set(stored(key), at: storeKey(key)) }
        var found: [String] = []
        space.scan(from: storeKey(""), upTo: StoreKey(bytes: [0xFF]), descending: false) { key, _ in
            found.append(key.text)
            return true
        }
        #expect(found.map { Array($0.utf8) } == keys.map { Array($0.utf8) })
    }

    private func storeKey(_ text: String) -> StoreKey { StoreKey(bytes: Array(text.utf8)) }
    private func stored(_ text: String) -> StoredValue { StoredValue(bytes: Array(text.utf8)) }
}

extension StoredValue {
    fileprivate var text: String { String(decoding: bytes, as: UTF8.self) }
}
