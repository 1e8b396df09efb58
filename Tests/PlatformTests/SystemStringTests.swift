import Testing

import Platform

struct SystemStringTests {
    @Test(arguments: [
        ("plain", Array("a b/ü→😀".utf8), "a b/ü→😀"),
        ("Latin-1", [0x73, 0xE9], #"s\xE9"#),
        ("cut off", [0xC3], #"\xC3"#),
        ("cut off in its middle", [0xE2, 0x86, 0x61], #"\xE2\x86a"#),
        ("overlong", [0xC0, 0xAF], #"\xC0\xAF"#),
        ("a surrogate", [0xED, 0xA0, 0x80], #"\xED\xA0\x80"#),
        ("lines", [0x61, 0x0A, 0x1B, 0x7F, 0x62], #"a\x0A\x1B\x7Fb"#),
        ("empty", [], ""),
    ])
    func isDescribedInOneLine(name: String, bytes: [UInt8], text: String) {
        #expect(SystemString(bytes: bytes).description == text)
        #expect(SystemString(bytes: bytes).bytes == bytes)
    }

    @Test func distinguishesBytesThatAreNotUTF8() {
        let (first, second) = (SystemString(bytes: [0x73, 0xE9]), SystemString(bytes: [0x73, 0xEA]))
        #expect(first != second)
        #expect(first.description != second.description)
        #expect(first.text == nil && second.text == nil)
    }

    @Test func endsBeforeTheFirstNul() {
        #expect(SystemString(bytes: [0x61, 0, 0x62]) == "a")
        #expect(SystemString("").isEmpty)
        [CChar(0x61), 0].withUnsafeBufferPointer { buffer in
            #expect(buffer.baseAddress.map { SystemString(copying: $0) } == "a")
        }
    }

    @Test(arguments: [
        ("a", nil), ("a/b", "a"), ("a/b/", "a"), ("/a", nil), ("/a/b//", "/a"), ("/", nil), ("", nil),
    ])
    func returnsTheParentDirectory(path: String, parent: String?) {
        #expect(SystemString(path).parent == parent.map { SystemString($0) })
    }

    @Test func appendsAFileName() {
        let path = SystemString(bytes: [0x73, 0xE9]).appending("lock")
        #expect(path.bytes == [0x73, 0xE9] + Array("/lock".utf8))
    }
}
