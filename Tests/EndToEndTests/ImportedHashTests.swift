import Foundation
import JSON
import PosternTesting
import Testing

/// Accounts from other programs: an import keeps their hashes, and their first sign-in replaces these.
struct ImportedHashTests {
    private let folder = TemporaryDirectory()

    /// The lines of an export with an operator for each hash. The emails are a1@b.co, a2@b.co and so on.
    private func lines(_ hashes: [String]) -> [String] {
        let counters = ["operators", "operators.persons"].map {
            (["counter": .string($0), "value": .number(String(hashes.count))] as JSONValue).text
        }
        let records = hashes.enumerated().map { index, hash in
            let created: JSONValue = "2026-01-01T00:00:00.000000Z"
            let id = JSONValue.number(String(index + 1))
            let person: JSONValue = [
                "id": id, "created": created, "first_name": "A", "last_name": "B",
                "email": .string("a\(index + 1)@b.co"),
            ]
            let record: JSONValue = [
                "id": id, "created": created, "person": person, "password_hash": .string(hash), "is_confirmed": true,
                "last_change": 0,
            ]
            return (["collection": "operators", "record": record] as JSONValue).text
        }
        return [#"{"export":1}"#] + counters + records + [#"{"end":true}"#]
    }

    private func importing(_ hashes: [String]) throws -> PosternProcess.Outcome {
        try PosternProcess.run(
            ["import", "--data", folder.path("store")],
            input: lines(hashes).joined(separator: "\n") + "\n"
        )
    }

    private func signsIn(_ number: Int, _ password: String, to postern: PosternProcess) throws -> Bool {
        let params: JSONValue = ["email": .string("a\(number)@b.co"), "password": .string(password)]
        return try postern.reply(to: "operators.signin", params)["result"] != nil
    }

    @Test func rehashesImportedHashesAtTheFirstSignIn() throws {
        let vectors = HashVector.all
        #expect(!vectors.isEmpty)
        let outcome = try importing(vectors.map(\.hash))
        #expect(outcome.status == 0, "\(outcome.errors)")
        let check = try PosternProcess.run(["check", "--data", folder.path("store")])
        #expect(check.status == 0, "\(check.output)\(check.errors)")

        let postern = try PosternProcess(["--data", folder.path("store")])
        for (index, vector) in vectors.enumerated() {
            #expect(try !signsIn(index + 1, vector.password + "!", to: postern), "\(vector)")
            #expect(try signsIn(index + 1, vector.password, to: postern), "\(vector)")
            #expect(try signsIn(index + 1, vector.password, to: postern), "\(vector)")
        }
        postern.finish()

        let export = try PosternProcess.run(["export", "--data", folder.path("store")]).output
        let hashes = try export.split(separator: "\n").compactMap {
            try JSONValue(parsing: String($0))["record"]?["password_hash"]?.string
        }
        #expect(hashes.count == vectors.count)
        #expect(hashes.allSatisfy { $0.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$") })
        #expect(Set(hashes).count == hashes.count)
    }

    // Only root can read the memory of a process that forbids core dumps.
    @Test(.enabled(if: geteuid() == 0, "needs root to read the memory"))
    func keepsNoPasswordBeyondItsRequest() throws {
        let password = "correct horse"
        let vectors = HashVector.all.filter { $0.password == password }
        #expect(!vectors.isEmpty)
        #expect(try importing(vectors.map(\.hash)).status == 0)
        let postern = try PosternProcess(["--data", folder.path("store")])
        let scan = ProcessMemoryScan(of: postern.processIdentifier)
        for (index, vector) in vectors.enumerated() {
            for (word, isRight) in [(password + "!", false), (password, true)] {
                #expect(try signsIn(index + 1, word, to: postern) == isRight, "\(vector)")
                // The hashing thread may release the password slightly after the reply.
                var copies = [1]
                for _ in 1...20 where copies != [0] {
                    copies = try scan.counts(of: [password])
                    if copies != [0] { Thread.sleep(forTimeInterval: 0.05) }
                }
                #expect(copies == [0], "\(vector)")
            }
        }
        #expect(try scan.counts(of: ["a1@b.co"]) != [0])
    }

    @Test(arguments: [
        "", "secret", "5f4dcc3b5aa765d61d8327deb882cf99", "$2b$16$", "$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0",
    ])
    func refusesAnUnknownHashWithItsLine(hash: String) throws {
        let known = try #require(HashVector.all.first).hash
        let outcome = try importing([known, hash, known])
        // After the head and two counters.
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("line 5: operators: password_hash: not a password hash"), "\(outcome.errors)")
        #expect(try PosternProcess.run(["check", "--data", folder.path("store")]).status != 0)
    }
}
