import Foundation
import JSON
import PosternTesting
import Testing

/// The data that a deleted account leaves in the store.
struct DeletedSenderTests {
    private let folder = TemporaryDirectory()

    /// The count of the mails that an account had caused once stayed, and `postern check` reported it as a fault.
    @Test func deletesTheCountOfTheMailsThatTheAccountCaused() throws {
        let data = ["--data", folder.path("store")]
        let server = try PosternProcess(data)
        let session = try CareSession(server)
        let patient = try server.reply(to: "care.patients.create", session.patient("P"))["result"]?[
            "id"
        ]
        let share: JSONValue = [
            "access_token": session.token, "patient_id": patient ?? .null, "email": "other@b.co",
            "access": "read",
            "group": "family",
        ]
        #expect(try server.reply(to: "care.patients.share", share)["result"] != nil)
        let quota = #""kind":"mails-to-others","subject":"care 1""#
        #expect(try PosternProcess.run(["export"] + data).output.contains(quota))
        #expect(
            try server.reply(to: "care.user.delete", ["access_token": session.token])["result"] != nil
        )
        server.finish()
        #expect(try !PosternProcess.run(["export"] + data).output.contains(quota))
        let check = try PosternProcess.run(["check"] + data)
        #expect(check.status == 0, "\(check.output)\(check.errors)")
    }
}
