import Foundation
import JSON
import PosternTesting
import PosternTranscripts
import Transcripts
import Testing

@testable import PosternSchema

/// Plays the transcripts of schema/cases with `postern test`.
struct TranscriptTests {
    @Test(arguments: try Transcript.all())
    func getTheExpectedReplies(_ transcript: Transcript) throws {
        let outcome = try PosternProcess.run(["test", transcript.path] + Transcript.deterministicFlags)
        #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.output)")
        // A test point for each step, one for the end, and one for the file.
        let passed = outcome.output.split(separator: "\n").count { $0.drop { $0 == " " }.hasPrefix("ok ") }
        #expect(passed == transcript.steps.count + 2)
    }

    /// The transcripts call every method, and cover every error that a method declares.
    @Test func coverEveryMethodAndEveryError() throws {
        let methods = try Contract(root: PosternProcess.repository.path).apis.flatMap { api in
            // An API without methods or errors was not parsed.
            #expect(!api.methods.isEmpty && !api.errors.isEmpty, "\(api.name)")
            return api.methods
        }
        let declared = methods.flatMap { method in
            method.errors.map { Transcript.Refusal(method: method.name, slug: $0) }
        }
        let expected = Set(declared.filter { !Self.storeFaults.contains($0.slug) }).subtracting(Self.unreachable)
        #expect(!methods.isEmpty && !expected.isEmpty)
        let transcripts = try Transcript.all()
        let shown = Set(transcripts.flatMap(\.refusals))
        #expect(Set(methods.map(\.name)).subtracting(transcripts.flatMap(\.methods)) == [])
        #expect(expected.subtracting(shown).map(\.description).sorted() == [])
        #expect(shown.subtracting(declared).map(\.description).sorted() == [])
    }

    /// Errors that need an account that was deleted and registered again, which these APIs do not offer.
    /// RegistrationQuotaTests covers them.
    private static let unreachable = [
        Transcript.Refusal(method: "operators.register", slug: "too_many_mails"),
        Transcript.Refusal(method: "sales.user.create_customer", slug: "too_many_mails"),
    ]

    /// Errors that no transcript can cause; the store's fault tests cover them.
    private static let storeFaults: Set = [
        "busy", "unavailable", "outcome_unknown", "disk_full", "read_only", "damaged",
    ]
}
