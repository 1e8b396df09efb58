import Foundation
import JSON
import PosternTesting
import Testing

/// A store of an earlier version, whose quotas, failure counts, codes and invitation have older formats:
/// Resources/earlier-store.
struct EarlierStoreTests {
    private let folder = TemporaryDirectory()
    private let store: String

    init() throws {
        let source = PosternProcess.repository.appendingPathComponent("Tests/EndToEndTests/Resources/earlier-store")
        store = folder.path("store")
        try FileManager.default.copyItem(atPath: source.path, toPath: store)
    }

    @Test func servesAccountsWithShortLivedDataInOlderFormats() throws {
        let postern = try PosternProcess(["--data", store])
        let signIn: JSONValue = ["email": "parent@example.org", "password": "wrong"]
        #expect(try postern.reply(to: "care.auth.token", signIn)["error"]?["code"]?.int == 401)
        let right: JSONValue = ["email": "parent@example.org", "password": "foobar"]
        #expect(try postern.reply(to: "care.auth.token", right)["result"]?["access_token"] != nil)
        let email: JSONValue = ["email": "luke@example.org"]
        for method in ["operators.reset_password", "operators.resend_confirmation"] {
            #expect(try postern.reply(to: method, email)["result"] == .null, "\(method)")
        }
        postern.finish()
        #expect(postern.status == 0)
        #expect(postern.errorText == "")
        #expect(try PosternProcess.run(["outbox", "list", "--data", store]).output.contains("luke@example.org"))
        let invitations = try PosternProcess.run(["invite", "list", "--data", store])
        #expect(invitations.status == 0)
        #expect(!invitations.output.contains("admin"), "an invitation without an expiry is no longer valid")
    }

    @Test func leavesNoAddressInAQuota() throws {
        try PosternProcess(["--data", store]).finish()
        #expect(try PosternProcess.run(["check", "--data", store]).status == 0)
        let export = try PosternProcess.run(["export", "--data", store]).output
        #expect(export.contains("parent@example.org"))
        #expect(!export.split(separator: "\n").contains { $0.contains("mail quotas") && $0.contains("@") })
    }
}
