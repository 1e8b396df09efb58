import Testing

@testable import DirectoryStore
@testable import Store
import Platform

struct JournalLineTests {
    /// The line of some writes: each has a key, a value or nil, and whether it is erasable.
    private func line(_ writes: [(String, String?, Bool)], number: Int = 17, before: UInt32 = 5) -> [UInt8] {
        var writer = JournalLineWriter()
        writer.start(number: number - 1, check: before)
        let staged = writes.map { key, value, isErasable in
            StagedWrite(
                key: StoreKey(bytes: Array(key.utf8)),
                value: value.map { StoredValue(bytes: Array($0.utf8)) },
                previous: nil,
                isErasable: isErasable
            )
        }
        writer.append(staged[...], durable: 812)
        return writer.bytes
    }

    /// The writes of a line: `key=value`, `key removed`, `key erased`.
    private func parse(_ line: [UInt8], before: UInt32 = 5) throws -> [String] {
        var writes: [JournalLine.Write] = []
        let text = line.dropLast()
        let parsed = try text.withUnsafeBytes { try JournalLine(parsing: $0, after: before, writes: &writes) }
        #expect(parsed.number == 17 && parsed.durable == 812)
        return writes.map { write in
            switch write.content {
            case .removed: "\(write.key.text) removed"
            case .value(let value), .slot(_, let value?):
                "\(write.key.text)=\(String(decoding: text[value], as: UTF8.self))"
            case .slot(_, nil): "\(write.key.text) erased"
            }
        }
    }

    @Test func writesTheDocumentedForm() {
        let bytes = line([("a/id/1", #"{"x":1}"#, false), ("a/id/2", nil, false), ("m/id/1", #"{"t":"x"}"#, true)])
        let covered = #"{"n":17,"d":812,"w":[["a/id/1",{"x":1}],["a/id/2",null],["m/id/1",null,22]]"#
        let check = Array(covered.utf8).withUnsafeBytes { CRC32C.value(of: $0, after: 5) }
        let slot = Array(#"{"t":"x"}"#.utf8).withUnsafeBytes { CRC32C.value(of: $0, after: check) }
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == covered + #","c":"\#(hex(check))","s":[["\#(hex(slot))",{"t":"x"}]]}"# + "\n"
        )
    }

    @Test(arguments: [
        "a/id/1", "", "\"", "\\", "\u{2028}", "\u{2029}x", "é", "\u{E2}", "\u{1F600}", "€", #"],"c":"00000000"}"#,
    ])
    func readsWhatItWrote(key: String) throws {
        let bytes = line([(key, "\"1\"", false), (key, nil, false), (key, "{}", true), ("b", "[1,{}]", false)])
        #expect(try parse(bytes) == ["\(key)=\"1\"", "\(key) removed", "\(key)={}", "b=[1,{}]"])
        #expect(bytes.filter { $0 == 0x0A }.count == 1)
    }

    /// The chain covers every byte except the slots' content, and the slots' framing is checked too. A change in a
    /// slot counts as an erasure.
    @Test func noticesAnyByteChanged() throws {
        let bytes = line([("a", "12", false), ("b", #"{"t":"x"}"#, true), ("c", "{}", true)])
        let whole = try parse(bytes)
        for index in bytes.indices.dropLast() {
            for change in [1, 2, 4, 8, 16, 32, 64, 128] as [UInt8] {
                var changed = bytes
                changed[index] ^= change
                do {
                    let parsed = try parse(changed)
                    #expect(parsed == ["a=12", "b erased", whole[2]] || parsed == ["a=12", whole[1], "c erased"])
                } catch {
                    #expect(error is LineFault)
                }
            }
        }
    }

    @Test func dependsOnTheCheckOfTheLineBefore() {
        #expect(throws: LineFault.self) { try parse(line([("a", "1", false)]), before: 6) }
    }

    @Test(arguments: [
        ("\u{FEFF}{}", "begins with a byte order mark: it was edited"),
        ("{}\r", "ends in a carriage return: it was edited"),
        ("{\0}", "contains NUL bytes"),
        ("{}", "does not match its checksum"),
    ])
    func describesTheFault(text: String, reason: String) {
        #expect(Array(text.utf8).withUnsafeBytes { LineFault.describing($0) } == reason)
    }

    private func hex(_ check: UInt32) -> String {
        var bytes: [UInt8] = []
        check.appendHex(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
