import Foundation
import Testing
import PosternTesting

@testable import DirectoryStore
@testable import Store

struct ErasureTests {
    let directory: TemporaryDirectory
    let secret = #"{"text":"Your code: 271828"}"#

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Whether any file contains the secret, or its check, from which the secret could be guessed.
    private func isOnDisk(_ secret: String) throws -> Bool {
        try directory.contents().values.contains { String(decoding: $0, as: UTF8.self).contains(secret) }
    }

    private func checksInSlots() throws -> Int {
        try directory.text().components(separatedBy: #"[["#).count - 1
    }

    @Test func keepsAnErasableValueUntilItIsRemoved() throws {
        try directory.open().commit(("m/id/1", secret), isErasable: true)
        #expect(try isOnDisk("271828"))
        #expect(try directory.open().entries() == ["m/id/1": secret])
    }

    @Test(arguments: [nil, #"{"text":"later"}"#], [true, false])
    func erasesAValueThatIsRemovedOrReplaced(value: String?, isErasable: Bool) throws {
        let engine = try directory.open()
        try engine.commit(("m/id/1", secret), ("m/id/2", #"{"text":"stays"}"#), isErasable: true)
        let length = try directory.bytes().count
        try engine.commit(("m/id/1", value), isErasable: isErasable)
        #expect(try !isOnDisk("271828"))
        let line = try directory.text().split(separator: "\n")[1]
        let blank = String(repeating: " ", count: secret.utf8.count + 11)
        #expect(line.contains(#","s":[[\#(blank)],["#))
        _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
        #expect(try directory.bytes()[..<length].last == 0x0A)
        engine.close()
        let expected = ["m/id/1": value, "m/id/2": #"{"text":"stays"}"#].compactMapValues { $0 }
        for _ in 0..<2 { #expect(try directory.open().entries() == expected) }
    }

    @Test func erasesAValueSetAndRemovedInOneTransaction() throws {
        let engine = try directory.open()
        try engine.write([("m/id/1", secret), ("m/id/1", nil)], isErasable: true)
        try engine.write([("m/id/2", secret)], isErasable: true)
        try engine.write([("m/id/2", nil)])
        try engine.makeDurable()
        engine.close()
        #expect(try !isOnDisk("271828"))
        #expect(try directory.open().entries().isEmpty)
    }

    @Test func erasesARecordThatIsDeleted() throws {
        let store = Store(engine: try directory.open())
        try store.transact { try $0.insert(Note(id: 1, text: "271828")) }
        try store.makeDurable()
        try store.transact { try $0.delete(Note.self, Key(1)) }
        #expect(try isOnDisk("271828"), "not before the deletion is durable")
        try store.makeDurable()
        #expect(try !isOnDisk("271828"))
    }

    @Test func doesNotEraseForADiscardedTransaction() throws {
        let engine = try directory.open()
        try engine.commit(("m/id/1", secret), isErasable: true)
        try engine.write([("m/id/1", nil)])
        engine.discardStaged()
        try engine.commit(("a", "1"))
        engine.close()
        #expect(try directory.open().entries() == ["m/id/1": secret, "a": "1"])
    }

    /// A process may be killed between the sync and the erasure, or during the erasure:
    /// any part of the slot may be overwritten.
    @Test func finishesAnInterruptedErasureAtTheNextOpen() throws {
        let engine = try directory.open()
        try engine.commit(("m/id/1", secret), isErasable: true)
        let whole = try directory.bytes()
        try engine.commit(("m/id/1", nil))
        engine.close()
        let erased = try directory.bytes()
        let changed = whole.indices.filter { whole[$0] != erased[$0] }
        let slot = try #require(changed.first)...(try #require(changed.last))
        for done in slot.lowerBound...slot.upperBound + 1 {
            // Overwritten from the front, and from the back as another sector order would leave it.
            let front = erased[..<done] + whole[done...] + erased[whole.count...]
            let back = whole[..<done] + erased[done...]
            for bytes in [Array(front), Array(back)] {
                try directory.write(bytes)
                #expect(try directory.open().entries().isEmpty)
                #expect(try directory.bytes() == erased)
            }
        }
        #expect(directory.warnings.isEmpty)
    }

    @Test func refusesAnErasedValueThatIsStillInUse() throws {
        let engine = try directory.open()
        try engine.commit(("m/id/1", secret), isErasable: true)
        let length = try directory.bytes().count
        try engine.commit(("m/id/1", nil))
        engine.close()
        let erased = try directory.bytes()
        try directory.write(erased[..<length])
        let error = storeError { _ = try directory.open() }
        #expect(error?.reason?.hasSuffix("has an erased or damaged value that is still in use") == true)
        #expect(try directory.bytes() == Array(erased[..<length]))
    }

    @Test func refusesAnyByteChangedOfAValueInUse() throws {
        try directory.open().commit(("m/id/1", secret), isErasable: true)
        let bytes = try directory.bytes()
        let start = try #require(bytes.indices.last { bytes[$0...].starts(with: #","s":["#.utf8) })
        for index in start..<bytes.count {
            var changed = bytes
            changed[index] ^= 1
            try directory.write(changed)
            #expect(storeError { _ = try directory.open() } != nil, "byte \(index)")
        }
    }
}
