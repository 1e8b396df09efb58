import Platform
import Testing

struct HexadecimalTests {
    @Test func writesTwoDigitsPerByte() {
        #expect([0x00, 0x09, 0x0A, 0xF0, 0xFF].hexText == "00090af0ff")
        #expect([UInt8]().hexText == "")
    }

    @Test(arguments: [0, 1, 0x0102_0304, 0x89AB_CDEF, 0xFFFF_FFFF, 0x9A00_00A9] as [UInt32])
    func writesTheDigitsOfAWord(number: UInt32) {
        let text = String(number, radix: 16)
        let expected = String(repeating: "0", count: 8 - text.count) + text
        #expect(number.hexText == expected)
        var bytes: [UInt8] = []
        number.appendHex(to: &bytes)
        #expect(bytes == Array(expected.utf8))
    }
}

struct UUIDTextTests {
    @Test func setsOnlyVersionAndVariant() {
        #expect(UUIDText.version4([UInt8](repeating: 0xFF, count: 16)) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(UUIDText.version4((0..<16).map { $0 }) == "00010203-0405-4607-8809-0a0b0c0d0e0f")
    }

    @Test func isUnique() {
        let texts = Set((0..<100).map { _ in UUIDText.random() })
        #expect(texts.count == 100)
        #expect(texts.allSatisfy { $0.count == 36 })
    }
}
