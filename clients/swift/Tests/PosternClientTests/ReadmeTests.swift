import Foundation
import PosternClient
import PosternTesting
import Testing

/// The code and the output in the README.
struct ReadmeTests {
    @Test func theExamplePrintsTheLinesOfTheREADME() throws {
        let directory = TemporaryDirectory()
        let example = Process()
        let output = Pipe()
        example.executableURL = PosternProcess.binary.deletingLastPathComponent()
            .appendingPathComponent("PosternClientExample")
        example.arguments = [directory.path("accounts")]
        example.environment = ["POSTERN_BIN": Binaries.postern]
        example.standardOutput = output
        try example.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        example.waitUntilExit()
        #expect(example.terminationStatus == 0)
        #expect(
            text == """
                registered Luke Sorenson
                wrong_password: Password is incorrect for this account.
                signed in as operator 1
                created Mary Major
                1 client, next provision 2

                """
        )
        let readme = try readme
        #expect(readme.contains(text.split(separator: "\n").map { "    \($0)\n" }.joined()))
    }

    /// Each Swift block of the README is part of the example, or of a test below, so that it is compiled and run.
    @Test func eachSwiftBlockIsRun() throws {
        let sources = try ["Example/FiveSteps.swift", "Tests/PosternClientTests/ReadmeTests.swift"].map {
            Self.unindented(try String(contentsOfFile: Self.folder + $0, encoding: .utf8))
        }
        let pieces = try readme.components(separatedBy: "```swift\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        #expect(pieces.count == 6)
        for piece in pieces {
            #expect(sources.contains { $0.contains(Self.unindented(piece)) }, "\(piece)")
        }
    }

    @Test func theCallByNameWorks() async throws {
        let postern = try Postern()
        let info = try await postern.call("system.info", params: "{}")
        #expect(info.hasPrefix(#"{"name":"postern","#))
        await postern.close()
    }

    @Test func theCatchOfOneSlugCompiles() async throws {
        let postern = try Postern()
        _ = try await postern.registerLuke()
        await #expect(throws: PosternError.self) { try await signIn(through: postern) }
        await postern.close()
    }

    private func signIn(through postern: Postern) async throws {
        do {
            _ = try await postern.operators.signin(email: "lasoren@bu.edu", password: "a wrong one")
        } catch .call(let error) where error.slug == ErrorSlug.Operators.tooManyAttempts {
            print("try again in \(error.retryAfter ?? 0) seconds")
        } catch {
            throw error
        }
    }

    @Test func theScopeReturnsItsValue() async throws {
        let name = try await withPostern(data: ":memory:") { postern in
            try await postern.system.info().name
        }
        #expect(name == "postern")
    }

    @Test func theFunctionGetsAMail() async throws {
        let sent = Lines()
        @Sendable func send(to: String, subject: String, text: String) async throws { sent.add("\(to): \(subject)") }
        let folder = TemporaryDirectory()
        func Postern(
            data: String,
            deliverMail: @escaping @Sendable (ServiceMail) async throws -> Void
        ) throws(PosternError) -> Postern {
            try PosternClient.Postern(data: folder.path(data), binary: Binaries.postern, deliverMail: deliverMail)
        }
        let postern = try Postern(
            data: "accounts",
            deliverMail: { mail in
                try await send(to: mail.to, subject: mail.subject, text: mail.text)
            }
        )
        _ = try await postern.registerLuke()
        #expect(await sent.next() == "lasoren@bu.edu: Confirm your email")
        await postern.close()
    }

    @Test func theLoopGetsTheEvents() async throws {
        let lines = Lines()
        func print(_ seq: Int, _ kind: EventKind) { lines.add("\(seq) \(kind.rawValue)") }
        let postern = try Postern(data: ":memory:", binary: Binaries.postern, events: .now)
        _ = try await postern.registerLuke()
        for try await event in postern.events {
            print(event.seq, event.kind)
            if event.kind == .registered { break }
        }
        #expect(lines.all == ["1 registered"])
        await postern.close()
    }

    /// Passes the binary under test; the README's code relies on `postern` on the PATH.
    private func withPostern<Value>(
        data: String,
        _ body: (Postern) async throws -> Value
    ) async throws -> Value {
        try await PosternClient.withPostern(data: data, binary: Binaries.postern, body)
    }

    private static let folder = PosternProcess.repository.path + "/clients/swift/"

    private var readme: String {
        get throws { try String(contentsOfFile: Self.folder + "README.md", encoding: .utf8) }
    }

    private static func unindented(_ text: String) -> String {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
    }
}
