import Accounts
import ProgramSignIn
import Testing

/// How programs that keep a helper running send requests.
struct HelperConventionTests {
    /// A request as a test compares it.
    private enum Asked: Equatable {
        case attempt(String, Password, String?)
        case isKnown(String)
        case refused

        init(_ question: Question) {
            switch question {
            case .attempt(let attempt): self = .attempt(attempt.name, attempt.password, attempt.ip)
            case .isKnown(let name): self = .isKnown(name)
            case .refused: self = .refused
            }
        }
    }

    private static func attempt(_ name: String, _ password: String, _ ip: String? = nil) -> Asked {
        .attempt(name, Password(password.utf8), ip)
    }

    /// The requests in the input, each with its reply to a `no`.
    private static func requests(
        in pieces: [[UInt8]],
        _ program: any HelperProgram
    ) -> (asked: [Asked], replies: [String], left: Int) {
        var program = program
        let buffer = RequestBuffer()
        var (asked, replies) = ([Asked](), [String]())
        for piece in pieces {
            buffer.append(piece)
            while let request = program.next(in: buffer) {
                asked.append(Asked(request.question))
                replies.append(String(decoding: program.reply(.no, to: request), as: UTF8.self))
            }
        }
        return (asked, replies, buffer.count)
    }

    // MARK: ejabberd

    private static func message(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
    }

    private static var ejabberd: any HelperProgram { HelperConvention.ejabberd.program(hasChannels: false) }

    private static let messages: [(text: String, asked: Asked)] = [
        ("auth:ann:b.co:password", attempt("ann@b.co", "password")),
        ("auth:ann:b.co:pass:wörd:", attempt("ann@b.co", "pass:wörd:")),
        ("auth:ann:b.co:", attempt("ann@b.co", "")),
        ("auth:ann\\40b.co:xmpp.example:p", attempt("ann@b.co", "p")),
        ("auth:o\\27brien:b.co:p", attempt("o'brien@b.co", "p")),
        ("auth:a\\5c40b:b.co:p", attempt("a\\40b@b.co", "p")),
        ("auth:a\\4:b.co:p", attempt("a\\4@b.co", "p")), ("auth:a\\zz:b.co:p", attempt("a\\zz@b.co", "p")),
        ("auth:::", attempt("@", "")), ("auth:ann:b.co", .refused), ("auth", .refused), ("", .refused),
        ("isuser:ann:b.co", .isKnown("ann@b.co")), ("isuser:ann\\40b.co:x", .isKnown("ann@b.co")),
        ("isuser:ann", .refused), ("isuser:ann:b.co:x", .refused),
        ("setpass:ann:b.co:new", .refused), ("tryregister:ann:b.co:p", .refused), ("removeuser:ann:b.co", .refused),
        ("removeuser3:ann:b.co:p", .refused), ("AUTH:ann:b.co:p", .refused), ("::::::", .refused),
        ("auth:ann:b.co:a\u{0}b", attempt("ann@b.co", "a\u{0}b")),
    ]

    @Test func ejabberdRequestsAreReadHoweverTheyAreCut() {
        let input = Self.messages.flatMap { Self.message($0.text) }
        let expected = Self.messages.map(\.asked)
        for cut in 0...input.count {
            let result = Self.requests(in: [Array(input[..<cut]), Array(input[cut...])], Self.ejabberd)
            #expect(result.asked == expected && result.left == 0, "cut at \(cut)")
            #expect(result.replies.allSatisfy { $0 == "\u{0}\u{2}\u{0}\u{0}" })
        }
        let result = Self.requests(in: input.map { [$0] }, Self.ejabberd)
        #expect(result.asked == expected && result.left == 0)
    }

    @Test func ejabberdRequestsMayHaveTheMaximumLength() {
        let longest = "auth:ann:b.co:" + String(repeating: "x", count: 65_535 - 14)
        let result = Self.requests(in: [Self.message(longest) + Self.message("isuser:a:b.co")], Self.ejabberd)
        #expect(result.asked == [Self.attempt("ann@b.co", String(longest.dropFirst(14))), .isKnown("a@b.co")])
    }

    /// A message that is not whole is never a request.
    @Test func ejabberdMessagesMustBeWhole() {
        let message = Self.message("auth:ann:b.co:password")
        for count in 0..<message.count {
            let result = Self.requests(in: [Array(message.prefix(count))], Self.ejabberd)
            #expect(result.asked.isEmpty && result.left == count)
        }
    }

    @Test func ejabberdRepliesAreNumbers() throws {
        let buffer = RequestBuffer()
        buffer.append(Self.message("isuser:ann:b.co"))
        var program = Self.ejabberd
        let next = program.next(in: buffer)
        let asked = try #require(next)
        #expect(program.reply(.known, to: asked) == [0, 2, 0, 1])
        #expect(program.reply(.no, to: asked) == [0, 2, 0, 0])
        #expect(program.reply(.later, to: asked) == [0, 2, 0, 0])
    }

    // MARK: Squid

    private static var plainSquid: any HelperProgram { HelperConvention.squid.program(hasChannels: false) }
    private static var squid: any HelperProgram { HelperConvention.squid.program(hasChannels: true) }

    private static let lines: [(text: String, asked: Asked)] = [
        ("ann%40b.co a%20long%20password", attempt("ann@b.co", "a long password")),
        ("ann@b.co password 192.0.2.7", attempt("ann@b.co", "password", "192.0.2.7")),
        ("ann@b.co password 192.0.2.7 more", attempt("ann@b.co", "password", "192.0.2.7")),
        ("ann@b.co password -", attempt("ann@b.co", "password")),
        ("ann@b.co p%c3%B6%2525+", attempt("ann@b.co", "pö%25+")),
        ("ann@b.co ", attempt("ann@b.co", "")), (" p", attempt("", "p")),
        ("ann@b.co  192.0.2.7", attempt("ann@b.co", "", "192.0.2.7")),
        ("ann@b.co a%00b", attempt("ann@b.co", "a\u{0}b")), ("ann@b.co a%0Ab", attempt("ann@b.co", "a\nb")),
        ("ann@b.co p\r", attempt("ann@b.co", "p\r")),
        ("ann@b.co %", .refused), ("ann@b.co %4", .refused), ("ann@b.co %4g", .refused), ("%zz p", .refused),
        ("ann@b.co", .refused), ("", .refused),
    ]

    @Test func squidLinesAreReadHoweverTheyAreCut() {
        let input = Array(Self.lines.map { $0.text + "\n" }.joined().utf8)
        for cut in 0...input.count {
            let result = Self.requests(in: [Array(input[..<cut]), Array(input[cut...])], Self.plainSquid)
            #expect(result.asked == Self.lines.map(\.asked) && result.left == 0, "cut at \(cut)")
            #expect(result.replies.allSatisfy { $0 == "ERR\n" })
        }
    }

    @Test func squidRepliesNameTheChannel() {
        let input = Self.lines.enumerated().map { "\($0.offset) \($0.element.text)\n" }.joined()
        let result = Self.requests(in: [Array(input.utf8)], Self.squid)
        #expect(result.asked == Self.lines.map(\.asked))
        #expect(result.replies == Self.lines.indices.map { "\($0) ERR\n" })
    }

    /// A name that is a number must not be taken for a channel, and the reverse.
    @Test func squidChannelsAreNotGuessed() {
        let plain = Self.requests(in: [Array("7 ann@b.co password\n".utf8)], Self.plainSquid)
        #expect(plain.asked == [Self.attempt("7", "ann@b.co")] && plain.replies == ["ERR\n"])
        for line in ["ann@b.co password\n", " ann@b.co password\n", "-1 ann@b.co p\n", "123456789012345678901 a p\n"] {
            let result = Self.requests(in: [Array(line.utf8)], Self.squid)
            #expect(result.asked == [.refused] && result.replies == ["ERR\n"])
        }
    }

    @Test(arguments: [16 << 10, (16 << 10) + 1, 100_000])
    func squidLinesHaveAMaximumLength(bytes: Int) {
        for atOnce in [true, false] {
            let line = Array("12 ann@b.co ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: bytes - 12)
            let input = line + Array("\n13 ann@b.co p\n".utf8)
            var pieces: [[UInt8]] = []
            for start in stride(from: 0, to: input.count, by: atOnce ? input.count : 1_000) {
                pieces.append(Array(input[start..<min(start + (atOnce ? input.count : 1_000), input.count)]))
            }
            let result = Self.requests(in: pieces, Self.squid)
            #expect(result.asked.count == 2 && (result.asked[0] == .refused) == (bytes > 16 << 10))
            #expect(result.asked.last == Self.attempt("ann@b.co", "p") && result.left == 0)
            #expect(result.replies == ["12 ERR\n", "13 ERR\n"])
        }
    }

    @Test func squidLearnsThatTheStoreCannotBeUsed() throws {
        let buffer = RequestBuffer()
        buffer.append(Array("3 ann@b.co p\n".utf8))
        var program = Self.squid
        let next = program.next(in: buffer)
        let request = try #require(next)
        #expect(program.reply(.later, to: request).starts(with: "3 BH message=\"".utf8))
        #expect(program.reply(.known, to: request) == Array("3 OK\n".utf8))
    }
}
