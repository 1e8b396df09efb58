import JSON
import Testing

@testable import Accounts

/// The hash of a token in a request's bytes equals that of its text.
struct BearerTokenTests {
    @Test(arguments: [
        "", " ", "a", String(repeating: "0f", count: 64), " 0f\n", "é", " é ", "\u{200B}", "a\u{2003}", "\u{7F}",
        "\u{1}a",
        String(repeating: " ", count: Limits.tokenBytesMax + 1), String(repeating: "a", count: Limits.tokenBytesMax),
        String(repeating: "a", count: Limits.tokenBytesMax + 1), "\"", "\\",
    ])
    func hashesInTheRequest(text: String) throws {
        var writer = JSONWriter()
        writer.string(text)
        let read = try writer.bytes.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            return BearerToken(try reader.text())
        }
        let token = text.utf8.count <= Limits.tokenBytesMax ? text.trimmedToken : ""
        #expect(read.hash.text == SecretToken.Hash(of: token).text)
        #expect(read.isBlank == text.isBlank)
        #expect(BearerToken(text).hash.text == read.hash.text)
    }

    /// The expected value is that of `b2sum --length 256`.
    @Test func hashesWithBLAKE2b() {
        let expected = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"
        #expect(SecretToken.Hash(of: "abc").text == expected)
    }

    @Test(arguments: [
        (Given<BearerToken>.absent, true), (.null, true), (.mistyped, false), (.value(BearerToken(" \t")), true),
        (.value(BearerToken("x")), false),
    ])
    func recognizesBlanks(given: Given<BearerToken>, isBlank: Bool) {
        #expect(given.isBlank == isBlank)
    }
}
