import Foundation
import JSON
import PosternTesting
import Testing

/// What is left in a store of an account that was deleted.
struct DeletedSenderTests {
    private let folder = TemporaryDirectory()

    /// The count of the mails that an account had caused stayed, and with it a fault for `postern check`.
    @Test func leavesNoCountOfTheMailsThatItCaused() throws {
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
