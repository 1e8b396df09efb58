import PosternTesting
import Testing

@testable import DirectoryStore
@testable import Store

struct PackedKeysTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func agreesWithASortedArray(seed: UInt64) {
        var random = SplitMix(state: seed)
        var keys = PackedKeys()
        var model: [StoreKey] = []
        for _ in 0..<3_000 {
            let length = Int(random.next() % 4)
            let key = StoreKey(bytes: (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next() % 5) * 60 })
            let (index, isThere) = keys.place(of: key)
            #expect(index == model.firstIndex { !($0 < key) } ?? model.count)
            #expect(isThere == model.contains(key))
            if !isThere, random.next() % 4 > 0 {
                keys.insert(key, at: index)
                model.insert(key, at: index)
            } else if isThere, random.next() % 2 == 0 {
                keys.remove(at: index)
                model.remove(at: index)
            }
            #expect(keys.count == model.count && keys.byteCount == model.reduce(0) { $0 + $1.bytes.count })
        }
        #expect(model.indices.map { keys[$0] } == model)
        let rest = keys.cut(at: model.count / 3)
        #expect((0..<keys.count).map { keys[$0] } + (0..<rest.count).map { rest[$0] } == model)
    }
}
